import Base
import Glibc
import Loop

/// A server of ours: started, started again should it die, and stopped with us.
// Confined to its loop.
package final class LocalServer: @unchecked Sendable {
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)
    /// After this a server that was asked to stop is killed.
    private static let stopLimit = Duration.seconds(30)

    package let name: String
    private let loop: EventLoop
    private let command: [String]
    private let logPath: String
    private let stopSignal: Int32
    private let logger: Logger
    private var child: ChildProcess?
    private var isStopping = false
    private var supervisor: Task<Void, Never>?

    init(
        _ name: String, command: [String], logPath: String, stopSignal: Int32, on loop: EventLoop,
        logger: Logger
    ) {
        self.name = name
        self.command = command
        self.logPath = logPath
        self.stopSignal = stopSignal
        self.loop = loop
        self.logger = logger
    }

    package var processIdentifier: Int32? { child?.exit == nil ? child?.identifier : nil }

    /// Starts the server and keeps it running until `stop`.
    package func start() throws(LocalServerError) {
        try launch()
        supervisor = loop.spawn { [self] in await supervise() }
    }

    /// Asks the server to end, and waits until it has.
    package func stop() async {
        isStopping = true
        supervisor?.cancel()
        await supervisor?.value
        guard let child, child.exit == nil else { return }
        child.send(signal: stopSignal)
        do throws(WaitFailure) {
            _ = try await child.waitForExit(until: .now() + Self.stopLimit)
        } catch {
            logger.error("server does not stop and is killed", ("server", "\(name)"))
            child.send(signal: SIGKILL)
        }
    }

    private func launch() throws(LocalServerError) {
        do throws(SystemError) {
            child = try ChildProcess(command, log: logPath, on: loop)
        } catch {
            throw LocalServerError("cannot start \(name): \(error)")
        }
    }

    private func supervise() async {
        var pause = Self.firstPause
        while !isStopping, let child {
            let started = Instant.now()
            guard let exit = try? await child.waitForExit() else { return }
            logger.error(
                "server ended and is started again", ("server", "\(name)"), ("exit", "\(exit)"),
                ("log", "\(logPath)"))
            if Instant.now() - started > .seconds(60) { pause = Self.firstPause }
            do {
                try await loop.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
                try launch()
            } catch is WaitFailure {
                return
            } catch {
                logger.error("server cannot be started again", ("server", "\(name)"), ("reason", "\(error)"))
                return
            }
        }
    }
}
