import Base
import Glibc

/// A server of the tests: a child process that ends with this one, however this one ends.
// The identifier is written once; signals may be sent from any thread.
package final class ServerProcess: @unchecked Sendable {
    package let identifier: Int32

    /// Starts `arguments[0]` as `user`, or as ourselves where we are not root. `deathSignal` reaches it when
    /// this process dies.
    package init(_ arguments: [String], user: String, deathSignal: String, log: String) {
        var command = ["setpriv", "--pdeathsig", deathSignal]
        if getuid() == 0 { command += ["--reuid", user, "--regid", user, "--clear-groups"] }
        identifier = SpawningThread.shared.spawn(command + arguments, log: log)
    }

    package func send(signal: Int32) { kill(identifier, signal) }

    /// Waits until it has ended.
    package func waitForEnd() {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) == -1, errno == EINTR {}
    }
}

/// Runs a program as `user` and waits for its end.
@discardableResult
package func runToEnd(_ arguments: [String], user: String? = nil, log: String = "/dev/null") -> Int32 {
    var command = arguments
    if let user, getuid() == 0 {
        command = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] + command
    }
    let identifier = spawn(command, log: log)
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) == -1, errno == EINTR {}
    return status
}

/// The death signal is tied to the thread that starts the child, not to the process: this one never ends.
// The queue is behind its mutex.
private final class SpawningThread: @unchecked Sendable {
    static let shared = SpawningThread()
    private struct Order {
        let command: [String]
        let log: String
        let answer: @Sendable (pid_t) -> Void
    }
    private let orders = Locked<[Order]>([])
    private let wakeUp = Semaphore()

    private init() {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<SpawningThread>.fromOpaque(argument).takeUnretainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
    }

    func spawn(_ command: [String], log: String) -> pid_t {
        let done = Semaphore()
        let identifier = Locked<pid_t>(0)
        orders.withLock {
            $0.append(
                Order(command: command, log: log) { started in
                    identifier.withLock { $0 = started }
                    done.signal()
                })
        }
        wakeUp.signal()
        done.wait()
        return identifier.withLock { $0 }
    }

    private func run() {
        while true {
            wakeUp.wait()
            let order = orders.withLock { $0.removeFirst() }
            order.answer(TestKit.spawn(order.command, log: order.log))
        }
    }
}

/// The same everywhere, so that a server does not depend on who runs the tests.
private let spawnEnvironment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"]

private func spawn(_ command: [String], log: String) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o666)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    posix_spawn_file_actions_addchdir_np(&actions, "/")
    // Tests run on threads that block signals, and a child inherits that: it could not be stopped.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var vector: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    vector.append(nil)
    defer { for pointer in vector { free(pointer) } }
    var environment: [UnsafeMutablePointer<CChar>?] = spawnEnvironment.map { strdup($0) }
    environment.append(nil)
    defer { for pointer in environment { free(pointer) } }
    var identifier: pid_t = 0
    let code = posix_spawnp(&identifier, command[0], &actions, &attributes, vector, environment)
    precondition(code == 0, "\(command[0]) does not start: \(String(cString: strerror(code)))")
    return identifier
}
