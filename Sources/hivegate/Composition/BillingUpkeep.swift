import Base
import Billing
import Gateway
import Identity
import Loop

/// What time does to subscriptions, in a process where organizations pay.
enum BillingUpkeep {
    private static let pause = Duration.seconds(60)

    /// Works on the worker's loop; nil where nobody pays.
    static func start(_ preset: PlanPreset, _ worker: Worker, logger: Logger) async throws -> Repetition? {
        guard let billing = worker.gateway.billing else { return nil }
        try await billing.store.apply(preset)
        let scheduler = BillingScheduler(billing.store, announce: worker.gateway.identity.announce)
        return Repetition(
            on: worker.loop, every: pause, "what time does to subscriptions waits", logger: logger
        ) {
            for failure in try await scheduler.run().failures {
                logger.warning(
                    "a subscription is left as it is", ("subscription", "\(failure.subscription)"),
                    ("reason", "\(failure.error)"))
            }
        }
    }
}
