import Base
import Loop
import Postgres

/// What every command that does something has around it: a configuration, a log, loops, and an exit code.
enum Program {
    typealias Body = @Sendable (Configuration, EventLoop, Logger) async throws -> Void

    /// Runs `body` on a loop of its own and says how it ended.
    static func run(_ body: @escaping Body) -> ExitCode {
        let configuration: Configuration
        do throws(ExitCode) {
            configuration = try Command.configuration()
        } catch {
            return error
        }
        let logger = Logger(level: max(.warning, configuration.logLevel), format: configuration.logFormat)
        return run(loopCount: 1, logger) { group in try await body(configuration, group.loops[0], logger) }
    }

    /// Runs `body` on the first of `loopCount` loops, and waits for it on the calling thread.
    static func run(
        loopCount: Int, _ logger: Logger, _ body: @escaping @Sendable (LoopGroup) async throws -> Void
    ) -> ExitCode {
        do throws(SystemError) {
            let group = try LoopGroup(count: loopCount)
            try group.start()
            let outcome = Locked(ExitCode.failure)
            let finished = Semaphore()
            group.loops[0].spawn {
                let code = await exitCode { try await body(group) }
                outcome.withLock { $0 = code }
                finished.signal()
            }
            finished.wait()
            group.stop()
            LogSink.standardError.flush()
            return outcome.withLock { $0 }
        } catch {
            Console.error("hivegate: \(error)")
            return .failure
        }
    }

    private static func exitCode(_ body: () async throws -> Void) async -> ExitCode {
        do {
            try await body()
            return .success
        } catch let code as ExitCode {
            // Whoever throws one has said why.
            return code
        } catch let error as StorageUnavailable {
            Console.error("hivegate: \(error)")
            return .unavailable
        } catch let error as PostgresError {
            Console.error(
                "hivegate: \(error.kind == .migration ? error.details.message : error.debugDescription)")
            return .failure
        } catch {
            Console.error("hivegate: \(error)")
            return .failure
        }
    }
}
