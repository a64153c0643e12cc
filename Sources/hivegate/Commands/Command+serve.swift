import Base
import Loop

extension Command {
    static let serve = Command(
        name: "serve", summary: "run the gateway", synopsis: "",
        description: """
            Runs the gateway until SIGTERM or SIGINT; then it takes no new connections, lets answers under way finish
            (HIVEGATE_DRAIN_SECONDS) and exits with 0. A second signal ends it at once.

            Without DATABASE_URL and REDIS_URL it starts a PostgreSQL and a Redis of its own in HIVEGATE_DATA, and makes
            an organization with an owner and an API key at the first start.
            """
    ) { arguments throws(Misuse) in
        guard arguments.isEmpty else { throw Misuse(reason: "takes no arguments") }
        let configuration: Configuration
        do throws(ExitCode) {
            configuration = try Self.configuration()
        } catch {
            return error
        }
        // Before any thread is started: threads inherit the mask.
        SignalSource.block(StopSignal.signals)
        let logger = Logger(level: configuration.logLevel, format: configuration.logFormat)
        DescriptorLimit.raise(for: configuration.largestConnectionCount, logger)
        return Program.run(loopCount: configuration.loopCount, logger) { group in
            try await Application(configuration: configuration, group: group, logger: logger).run()
        }
    }
}
