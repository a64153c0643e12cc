import Base
import CCurl
import Glibc

extension HTTPTransfer {
    /// What is the same for every request on this handle.
    func installCallbacks() {
        let me = Unmanaged.passUnretained(self).toOpaque()
        curl_set_pointer(easy, CURLOPT_PRIVATE, me)
        curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        curl_set_long(easy, CURLOPT_TCP_NODELAY, 1)
        curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        // What a proxy says is not the answer.
        curl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")

        curl_set_pointer(easy, CURLOPT_WRITEDATA, me)
        curl_set_transfer(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            HTTPTransfer.from(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        curl_set_pointer(easy, CURLOPT_HEADERDATA, me)
        curl_set_transfer(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return HTTPTransfer.from(context).receiveLine(line) ? line.count : 0
        }
        curl_set_pointer(easy, CURLOPT_READDATA, me)
        curl_set_transfer(easy, CURLOPT_READFUNCTION) { bytes, size, count, context in
            HTTPTransfer.from(context).provide(
                UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, me)
        curl_set_open_socket(easy) { context, _, address in
            guard let address else { return CURL_SOCKET_BAD }
            let resolved = withUnsafePointer(to: &address.pointee.addr) { IPAddress($0) }
            guard HTTPTransfer.from(context).mayUse(resolved) else { return CURL_SOCKET_BAD }
            let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            return socket(address.pointee.family, kind, address.pointee.protocol)
        }
        curl_set_pointer(easy, CURLOPT_PREREQDATA, me)
        curl_set_before_request(easy) { context, remoteAddress, _, _, _ in
            let isAllowed = HTTPTransfer.from(context).mayUse(
                remoteAddress.flatMap { IPAddress(String(cString: $0)) })
            return isAllowed ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer {
        guard let context else { preconditionFailure("libcurl lost its context") }
        return Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
    }
}
