import Base
import CPostgres
import Glibc
import Loop

/// What a host's name stands for. libpq would ask the name server on the loop's thread and block it.
// Confined to its loop; only `resolve`, which touches nothing of it, runs elsewhere.
final class HostResolver: @unchecked Sendable {
    /// libpq tries them one after the other within the same connect timeout.
    private static let maximumAddresses = 8

    private let waiter: Waiter
    private var answer: Result<[String], PostgresError>?

    private init(_ loop: EventLoop) { waiter = Waiter(loop) }

    /// The addresses of `host`, in the order to be tried. Call it on the loop.
    static func addresses(
        of host: String, until deadline: Instant, on loop: EventLoop
    ) async throws(PostgresError) -> [String] {
        if isAddress(host) { return [host] }
        let resolver = HostResolver(loop)
        let started = BlockingCall.start(
            for: resolver, on: loop, work: { resolve(host) }, finish: { $0.finish($1) })
        guard started else {
            throw PostgresError(.unavailable, "too many look-ups of host names are under way")
        }
        while true {
            if let answer = resolver.answer { return try answer.get() }
            do {
                try await resolver.waiter.wait(until: deadline)
            } catch {
                throw error == .cancelled
                    ? PostgresError(.cancelled, "cancelled while looking up the host \"\(host)\"")
                    : PostgresError(.unavailable, "looking up the host \"\(host)\" took too long")
            }
        }
    }

    private func finish(_ answer: Result<[String], PostgresError>) {
        self.answer = answer
        waiter.wake()
    }

    private static func isAddress(_ host: String) -> Bool {
        var storage = in6_addr()
        return inet_pton(AF_INET, host, &storage) == 1 || inet_pton(AF_INET6, host, &storage) == 1
    }

    private static func resolve(_ host: String) -> Result<[String], PostgresError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            return .failure(PostgresError(.unavailable, "looking up the host \"\(host)\": \(reason)"))
        }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var entry = list
        while let current = entry, addresses.count < maximumAddresses {
            if let text = numericForm(current.pointee), !addresses.contains(text) { addresses.append(text) }
            entry = current.pointee.ai_next
        }
        if addresses.isEmpty {
            return .failure(PostgresError(.unavailable, "the host \"\(host)\" has no address"))
        }
        return .success(addresses)
    }

    private static func numericForm(_ entry: addrinfo) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            entry.ai_addr, entry.ai_addrlen, &buffer, socklen_t(buffer.count), nil, 0, Int32(NI_NUMERICHOST))
        guard code == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
