import Base
import CCurl
import Glibc
import Loop

/// libcurl's multi handle with a loop's sockets and timers under it.
// Confined to its loop.
final class CurlMulti: @unchecked Sendable {
    private let loop: EventLoop
    private let multi: UnsafeMutableRawPointer
    private var sockets: [Int32: Socket] = [:]
    private(set) var transferCount = 0
    private var isActionDue = false
    private var wanted = Instant.never
    private var timer: (token: TimerToken, at: Instant)?

    private final class Socket {
        let registration: Registration
        var interest: Interest
        /// libcurl does not watch it now, but keeps it for the next request. It stays registered, so that a
        /// request on a kept connection costs no system call of ours.
        var isIdle = false

        init(_ registration: Registration, _ interest: Interest) {
            self.registration = registration
            self.interest = interest
        }
    }

    private static let initialized: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(on loop: EventLoop, idleConnectionCount: Int) {
        precondition(Self.initialized, "libcurl cannot start")
        guard let multi = curl_multi_init() else { preconditionFailure("libcurl has no memory") }
        self.loop = loop
        self.multi = multi
        let me = Unmanaged.passUnretained(self).toOpaque()
        curl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, me)
        curl_multi_set_socket(multi) { _, descriptor, what, context, _ in
            CurlMulti.from(context).watch(descriptor, what)
            return 0
        }
        curl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, me)
        curl_multi_set_timer(multi) { _, milliseconds, context in
            CurlMulti.from(context).setTimer(milliseconds)
            return 0
        }
        curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, idleConnectionCount)
    }

    deinit {
        // The connections that are kept are closed here, by the callback below.
        curl_multi_cleanup(multi)
        if let timer { loop.cancel(timer.token) }
    }

    func start(_ transfer: CurlTransfer) throws(HTTPClientError) {
        let code = curl_multi_add_handle(multi, transfer.easy)
        guard code == CURLM_OK else {
            throw HTTPClientError(.invalidRequest, detail: String(cString: curl_multi_strerror(code)))
        }
        transferCount += 1
        transfer.isStarted = true
    }

    /// Takes a transfer out, finished or not. An unfinished one loses its connection (or, with HTTP/2, its
    /// stream).
    func end(_ transfer: CurlTransfer) {
        guard transfer.isStarted else { return }
        transfer.isStarted = false
        transferCount -= 1
        curl_multi_remove_handle(multi, transfer.easy)
    }

    /// Sockets of `easy` leave the loop before they are closed.
    func watchSockets(of easy: UnsafeMutableRawPointer) {
        curl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(self).toOpaque())
        curl_set_close_socket(easy) { context, descriptor in
            CurlMulti.from(context).forget(descriptor)
            return close(descriptor)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlMulti {
        guard let context else { preconditionFailure("libcurl lost its context") }
        return Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Sockets

    private func watch(_ descriptor: Int32, _ what: Int32) {
        if what == CURL_POLL_REMOVE {
            sockets[descriptor]?.isIdle = true
            return
        }
        let interest = Self.interest(what)
        do throws(SystemError) {
            if let socket = sockets[descriptor] {
                if socket.interest != interest { try loop.update(socket.registration, interest) }
                socket.interest = interest
                socket.isIdle = false
            } else {
                let registration = try loop.register(descriptor, interest) { [weak self] readiness in
                    self?.act(descriptor, readiness)
                }
                sockets[descriptor] = Socket(registration, interest)
            }
        } catch {
            // Without events the transfer ends by its deadline; the kernel refuses only for want of memory.
            forget(descriptor)
        }
    }

    // Not by inserting: what option sets are changed with is generic code, and slow in another target.
    private static func interest(_ what: Int32) -> Interest {
        switch what {
        case CURL_POLL_IN: .read
        case CURL_POLL_OUT: .write
        default: Interest(rawValue: Interest.read.rawValue | Interest.write.rawValue)
        }
    }

    private func forget(_ descriptor: Int32) {
        if let socket = sockets.removeValue(forKey: descriptor) { loop.deregister(socket.registration) }
    }

    private func act(_ descriptor: Int32, _ readiness: Readiness) {
        if sockets[descriptor]?.isIdle == true {
            // The other side has closed a kept connection. libcurl finds out when it wants it next.
            forget(descriptor)
            return
        }
        var mask: Int32 = 0
        if readiness.canRead { mask |= CURL_CSELECT_IN }
        if readiness.canWrite { mask |= CURL_CSELECT_OUT }
        if readiness.hasError { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        curl_multi_socket_action(multi, descriptor, mask, &running)
        collect()
    }

    // MARK: Timers

    /// libcurl asks for one timer at a time: replaced by the next, dropped by a negative one.
    private func setTimer(_ milliseconds: Int) {
        if milliseconds < 0 {
            wanted = .never
        } else if milliseconds == 0 {
            wanted = .never
            actSoon()
        } else {
            wanted = .now() + .milliseconds(milliseconds)
            armTimer()
        }
    }

    private func actSoon() {
        guard !isActionDue else { return }
        isActionDue = true
        loop.atTickEnd { [weak self] in
            self?.isActionDue = false
            self?.actOnTimeout()
        }
    }

    private func armTimer() {
        if let timer {
            if timer.at <= wanted { return }
            loop.cancel(timer.token)
        }
        timer = (loop.schedule(at: wanted) { [weak self] in self?.timerFired() }, wanted)
    }

    private func timerFired() {
        timer = nil
        if wanted <= loop.now {
            wanted = .never
            actOnTimeout()
        } else if wanted != .never {
            armTimer()
        }
    }

    private func actOnTimeout() {
        var running: Int32 = 0
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
        collect()
    }

    // MARK: Results

    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard let easy = message.pointee.easy_handle else { continue }
            var context: UnsafeMutableRawPointer?
            curl_get_pointer(easy, CURLINFO_PRIVATE, &context)
            CurlTransfer.owner(of: context).finished(curl_message_result(message))
        }
    }
}
