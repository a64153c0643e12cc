import Base
import Glibc
import Loop

/// Looks up host names without holding up the loop: each look-up has a thread that lives as long as it takes.
///
/// One look-up at a time for each resolver; answers are kept for a short while, and an old answer is better than none.
// Confined to its loop; the thread only sees the name and hands its answer over.
final class HostResolver: @unchecked Sendable {
    private let loop: EventLoop
    private let host: String
    private var known: [IPAddress] = []
    private var expiry = Instant(nanoseconds: 0)
    private var isLooking = false
    private var waiting: (([IPAddress], String) -> Void)?

    /// How long an answer is used without asking again. Short: after a failover the name points elsewhere.
    static let lifetime = Duration.seconds(5)

    init(_ host: String, on loop: EventLoop) {
        self.host = host
        self.loop = loop
        if let address = IPAddress(host) {
            known = [address]
            expiry = .never
        }
    }

    /// Calls `answer` on the loop with the addresses, at once when they are known; with none and the reason when there
    /// is no such host. Only the latest caller is answered.
    func resolve(_ answer: @escaping ([IPAddress], _ failure: String) -> Void) {
        if loop.now < expiry { return answer(known, "") }
        waiting = answer
        guard !isLooking else { return }
        isLooking = true
        let request = LookUp(host: host) { [self] addresses, failure in
            loop.execute { self.finish(addresses, failure) }
        }
        let box = Unmanaged.passRetained(request)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, lookUp, box.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            box.release()
            finish([], SystemError("pthread_create", code: code).description)
        }
    }

    /// Whoever waits is not answered any more.
    func forget() { waiting = nil }

    private func finish(_ addresses: [IPAddress], _ failure: String) {
        isLooking = false
        if !addresses.isEmpty {
            known = addresses
            expiry = .now() + Self.lifetime
        }
        let answer = waiting
        waiting = nil
        answer?(known, failure)
    }
}

private final class LookUp: Sendable {
    let host: String
    let answer: @Sendable ([IPAddress], String) -> Void

    init(host: String, answer: @escaping @Sendable ([IPAddress], String) -> Void) {
        self.host = host
        self.answer = answer
    }

    func run() {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &first)
        guard code == 0 else {
            return answer([], "cannot find \(host): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(first) }
        var addresses: [IPAddress] = []
        var next = first
        while let entry = next {
            if let raw = entry.pointee.ai_addr, let address = IPAddress(UnsafePointer(raw)),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        answer(addresses, addresses.isEmpty ? "\(host) has no address" : "")
    }
}

private func lookUp(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<LookUp>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
