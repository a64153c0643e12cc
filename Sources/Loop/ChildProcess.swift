package import Base
import CLinux
import Glibc

/// A program started as a child of this process. It does not outlive its parent: use `setpriv --pdeathsig`
/// in `arguments` where even a killed parent must take it along.
// Confined to its loop.
package final class ChildProcess: @unchecked Sendable {
    package let identifier: Int32
    private let loop: EventLoop
    private let descriptor: Int32
    private var registration: Registration?
    private let ended: Waiter
    /// How the program ended; `nil` while it runs.
    package private(set) var exit: Exit?

    package enum Exit: Equatable, Sendable {
        case status(Int32)
        case signal(Int32)
    }

    /// Starts `arguments[0]`, found by `PATH`, with output and errors appended to the file `log`.
    /// Call it on the loop.
    package init(_ arguments: [String], log: String, on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        ended = Waiter(loop)
        identifier = try Self.spawn(arguments, log: log)
        descriptor = linux_pidfd_open(identifier)
        guard descriptor >= 0 else {
            let failure = SystemError("pidfd_open")
            kill(identifier, SIGKILL)
            throw failure
        }
        registration = try loop.register(descriptor, .read) { [weak self] _ in self?.reap() }
    }

    package func send(signal: Int32) {
        if exit == nil { kill(identifier, signal) }
    }

    /// Waits until the program has ended. One task at a time.
    package func waitForExit(until deadline: Instant = .never) async throws(WaitFailure) -> Exit {
        while true {
            if let exit { return exit }
            try await ended.wait(until: deadline)
        }
    }

    private func reap() {
        var status: Int32 = 0
        guard waitpid(identifier, &status, WNOHANG) == identifier else { return }
        // The macros WIFEXITED, WEXITSTATUS and WTERMSIG are not imported: the low seven bits are the signal.
        let signal = status & 0x7F
        exit = signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
        if let registration { loop.deregister(registration) }
        registration = nil
        close(descriptor)
        ended.wake()
    }

    private static func spawn(_ arguments: [String], log: String) throws(SystemError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The parent blocks signals for its signalfd; the child gets a clean mask, and a process group of its
        // own so that a Ctrl-C at the terminal reaches it only through us, in order.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        vector.append(nil)
        defer { for pointer in vector { free(pointer) } }
        var identifier: pid_t = 0
        let code = posix_spawnp(&identifier, arguments[0], &actions, &attributes, vector, linux_environment())
        guard code == 0 else { throw SystemError("start \(arguments[0])", code: code) }
        return identifier
    }
}
