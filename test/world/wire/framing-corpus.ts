/** One hostile request: what is wrong with it, its bytes, and the status it is refused with. */
export type HostileRequest = readonly [wrong: string, text: string, status: number]

export interface Around {
  /** Target and `Host` of the outer request, and more of its header lines. */
  readonly target: string
  readonly host: string
  readonly lines: readonly string[]
  /** A whole request that must never be taken for one. */
  readonly smuggled: string
}

const crlf = '\r\n'

const encodings = [
  ' xchunked',
  ' identity',
  ' gzip, chunked',
  ' identity, chunked',
  ' chunked, identity',
  ' chunked, chunked',
  ' ,chunked',
  ' chunked,',
  ' "chunked"',
  ' chunked;q=1',
  ' chun ked',
  '',
  ' \x0bchunked',
  ' chunked\x00',
  ' \xa0chunked',
]
const wrongLengths = [
  '',
  ' ',
  ' +2',
  ' -2',
  ' 0x2',
  ' 2.0',
  ' 2e0',
  ' 2, 2',
  ' 2 2',
  ' 2;',
  ' ½',
  ' 18446744073709551618',
]
const wrongSizes = ['0x2', '+2', '-2', ' 2', '2 ', '2\t', '', 'g', '1000000000000000002', '2;a\rb', '2;a=\x01', '2\n']

/** Requests whose end two readers would find in different places; a second request hides behind. */
function lengths(post: string, smuggled: string): HostileRequest[] {
  const bad = (wrong: string, fields: string, body = `0${crlf}${crlf}`): HostileRequest => [
    wrong,
    `${post}${fields}${crlf}${crlf}${body}${smuggled}`,
    400,
  ]
  const [, ...rest] = post.split(crlf)
  return [
    bad('a length, then chunks', `Content-Length: 5${crlf}Transfer-Encoding: chunked`),
    bad('chunks, then a length', `Transfer-Encoding: chunked${crlf}Content-Length: 5`),
    bad('a space before the colon', 'Transfer-Encoding : chunked'),
    bad('a tab before the colon', 'Content-Length\t: 2', 'ab'),
    bad('two encodings', `Transfer-Encoding: chunked${crlf}Transfer-Encoding: identity`),
    bad('the encoding twice', `Transfer-Encoding: chunked${crlf}transfer-encoding: chunked`),
    bad('a folded encoding', `Transfer-Encoding:${crlf} chunked`),
    bad('an encoding folded on', `Transfer-Encoding: chunked${crlf}\t, identity`),
    bad('an encoding behind a bare line feed', 'X-A: b\nTransfer-Encoding: chunked'),
    bad('an encoding behind a bare carriage return', 'X-A: b\rTransfer-Encoding: chunked'),
    bad('an encoding behind a NUL', `X-A: b\0${crlf}Transfer-Encoding: chunked`),
    ...encodings.map((value) => bad(`Transfer-Encoding ${JSON.stringify(value)}`, `Transfer-Encoding:${value}`)),
    bad('two lengths', `Content-Length: 2${crlf}Content-Length: 3`, 'ab'),
    bad('the length twice', `Content-Length: 2${crlf}Content-Length: 2`, 'ab'),
    ...wrongLengths.map((value) => bad(`Content-Length ${JSON.stringify(value)}`, `Content-Length:${value}`, 'ab')),
    [
      'chunks in HTTP/1.0',
      [post.split(crlf, 1)[0]?.replace('1.1', '1.0'), ...rest].join(crlf) +
        `Transfer-Encoding: chunked${crlf}${crlf}0${crlf}${crlf}${smuggled}`,
      400,
    ],
  ]
}

function chunks(post: string, smuggled: string): HostileRequest[] {
  const head = `${post}Transfer-Encoding: chunked${crlf}${crlf}`
  const bad = (wrong: string, body: string): HostileRequest => [wrong, `${head}${body}${smuggled}`, 400]
  return [
    ...wrongSizes.map((size) => bad(`a chunk of ${JSON.stringify(size)}`, `${size}${crlf}ab${crlf}0${crlf}${crlf}`)),
    bad('a chunk line that ends in a line feed', `2\nab${crlf}0${crlf}${crlf}`),
    bad('a chunk longer than its size', `2${crlf}abXX0${crlf}${crlf}`),
    bad('a last chunk that ends in line feeds', '0\n\n'),
    bad('a trailer with a length', `0${crlf}Content-Length: 50${crlf}${crlf}`),
    bad('a trailer with an encoding', `0${crlf}Transfer-Encoding: chunked${crlf}${crlf}`),
    bad('a trailer with a space in its name', `0${crlf}X-A : b${crlf}${crlf}`),
  ]
}

function heads({ target, host, smuggled }: Around): HostileRequest[] {
  const all = (line: string, ...more: string[]) =>
    `${[line, `Host: ${host}`, ...more].join(crlf)}${crlf}${crlf}${smuggled}`
  const get = `GET ${target} HTTP/1.1`
  return [
    ['bare line feeds', `${all(get).replaceAll(crlf, '\n')}`, 400],
    ['a header that ends in a line feed', all(`${get}\nX-A: b`), 400],
    ['headers that end in a line feed', `${get}${crlf}Host: ${host}${crlf}\n${smuggled}`, 400],
    ['a bare carriage return', all(get, 'X-A: b\rX-B: c'), 400],
    ['a folded header', all(get, `X-A: b${crlf} c`), 400],
    ['a header that begins folded', all(`${get}${crlf} X-A: b`), 400],
    ['a NUL in a value', all(get, 'X-A: b\0c'), 400],
    ['a NUL in a name', all(get, 'X\0A: b'), 400],
    ['a NUL in the target', all(`GET ${target}\0 HTTP/1.1`), 400],
    ['a control character in a value', all(get, 'X-A: b\x01c'), 400],
    ['a header without a name', all(get, ': b'), 400],
    ['a header without a colon', all(get, 'abc'), 400],
    ['a space in the target', all(`GET ${target} x HTTP/1.1`), 400],
    ['a tab in the request line', all(`GET\t${target} HTTP/1.1`), 400],
    ['a space after the version', all(`${get} `), 400],
    ['a space before the method', ` ${all(get)}`, 400],
    ['a method in lower case', all(`get ${target} HTTP/1.1`), 400],
    ['a method without end', `${'A'.repeat(4_000)} ${target} HTTP/1.1${crlf}${crlf}`, 400],
    ['no host', `${get}${crlf}${crlf}${smuggled}`, 400],
    ['two hosts', all(get, 'Host: other'), 400],
    ['the host twice', all(get, `HOST: ${host}`), 400],
    ['two authorizations', all(get, 'Authorization: Bearer a', 'authorization: Bearer b'), 400],
    ['two content types', all(get, 'Content-Type: text/plain', 'Content-Type: application/json'), 400],
    ['an unknown expectation', all(get, 'Expect: 200-maybe'), 417],
    ['too many headers', all(get, ...Array.from({ length: 200 }, (_, at) => `X-${at}: a`)), 431],
    ['a header that is too large', all(get, `X-A: ${'a'.repeat(17_000)}`), 431],
  ]
}

function targets({ target, host, smuggled }: Around): HostileRequest[] {
  const all = (line: string) => `${line}${crlf}Host: ${host}${crlf}${crlf}${smuggled}`
  return [
    ['an absolute target', all(`GET http://${host}${target} HTTP/1.1`), 400],
    ["another host's target", all(`GET http://other${target} HTTP/1.1`), 400],
    ['a target with a fragment', all(`GET ${target}#x HTTP/1.1`), 400],
    ['a target of another scheme', all('GET file:///etc/passwd HTTP/1.1'), 400],
    ['a target without a slash', all(`GET ${target.slice(1)} HTTP/1.1`), 400],
    ['a star for a target', all('GET * HTTP/1.1'), 400],
    ['OPTIONS of everything', all('OPTIONS * HTTP/1.1'), 400],
    ['a target that is too long', all(`GET ${target}?${'a'.repeat(8_192)} HTTP/1.1`), 414],
    ['TRACE', all(`TRACE ${target} HTTP/1.1`), 501],
    ['CONNECT', all(`CONNECT ${host}:80 HTTP/1.1`), 501],
    ['a method of WebDAV', all(`PROPFIND ${target} HTTP/1.1`), 501],
    ['another protocol', all(`DESCRIBE ${target} RTSP/1.0`), 501],
    ['HTTP/0.9', all(`GET ${target} HTTP/0.9`), 505],
    ['HTTP/2.0', all(`GET ${target} HTTP/2.0`), 505],
    ['HTTP/1.2', all(`GET ${target} HTTP/1.2`), 400],
    ['HTTP/1.10', all(`GET ${target} HTTP/1.10`), 400],
    ['http/1.1', all(`GET ${target} http/1.1`), 400],
    ['the first words of HTTP/2', `PRI * HTTP/2.0${crlf}${crlf}SM${crlf}${crlf}${smuggled}`, 400],
  ]
}

/** Every way that we know to make two readers of one connection disagree. */
export function hostileRequests(around: Around): HostileRequest[] {
  const { target, host, lines: fields, smuggled } = around
  const post = `${[`POST ${target} HTTP/1.1`, `Host: ${host}`, ...fields].join(crlf)}${crlf}`
  return [...lengths(post, smuggled), ...chunks(post, smuggled), ...heads(around), ...targets(around)]
}
