import Base
import Budgets
import Gateway
import HTTPClient
import Loop

/// What time does to budgets. Alerts are sent beside all else: whoever takes them may be slow.
struct BudgetUpkeep {
    private static let pause = Duration.seconds(5)
    private static let webhookPause = Duration.seconds(2)

    private let watch: Repetition
    private let webhooks: Repetition

    /// Works on the worker's loop.
    static func start(
        _ configuration: Configuration, _ worker: Worker, metrics: Metrics, logger: Logger
    ) async throws -> BudgetUpkeep {
        let gateway = worker.gateway
        let watch = BudgetWatch(
            gateway.budgets,
            BudgetWebhooks(
                gateway.budgets, worker.direct, OutboundPolicy(allowing: configuration.outboundExceptions)),
            counters: BudgetCounters(in: metrics), usual: configuration.defaultMonthlyBudget,
            announce: gateway.identity.announce,
            takeBack: { limits, organization in await gateway.takeBack(limits, of: organization) })
        tell(of: try await watch.begin(), logger)
        return BudgetUpkeep(
            watch: Repetition(
                on: worker.loop, every: pause, "what time does to budgets waits", logger: logger
            ) { tell(of: try await watch.run(), logger) },
            webhooks: Repetition(
                on: worker.loop, every: webhookPause, "webhooks of budgets wait", logger: logger
            ) { try await watch.deliver() })
    }

    private static func tell(of failures: [BudgetWatch.Failure], _ logger: Logger) {
        for failure in failures {
            logger.warning(
                "a budget is left as it is", ("id", "\(failure.id)"), ("reason", "\(failure.error)"))
        }
    }

    func close() async {
        await watch.close()
        await webhooks.close()
    }
}
