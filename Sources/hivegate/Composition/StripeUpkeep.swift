import Base
import Billing
import Gateway
import Loop

/// What a process does about payments by Stripe: looks at what was told, asks for what was not, fills wallets.
///
/// One after the other, so that it holds one connection at most while it works with another.
// Confined to its loop.
final class StripeUpkeep: @unchecked Sendable {
    private static let pause = Duration.seconds(1)
    private static let fillingPause = Duration.seconds(10)
    private static let reconciliationPause = Duration.seconds(3600)

    private let stripe: StripeBilling
    private let loop: EventLoop
    private let logger: Logger
    private var task: Task<Void, Never>?
    private var nextFilling = Instant.now()
    /// At the start, too: a webhook may have come while nobody was there.
    private var nextReconciliation = Instant.now()

    /// Works on the worker's loop; nil where nobody pays by Stripe.
    init?(_ worker: Worker, logger: Logger) {
        guard let stripe = worker.gateway.billing?.stripe else { return nil }
        self.stripe = stripe
        self.logger = logger
        loop = worker.loop
        task = worker.loop.spawn { [self] in await run() }
    }

    private func run() async {
        while !Task.isCancelled {
            do {
                try await round()
                try await loop.sleep(for: Self.pause)
            } catch is WaitFailure {
                return
            } catch {
                logger.warning("what Stripe has told waits", ("reason", "\(error)"))
                // The database is away; the next round comes.
                guard (try? await loop.sleep(for: Self.pause)) != nil else { return }
            }
        }
    }

    private func round() async throws {
        if Instant.now() >= nextReconciliation {
            nextReconciliation = .now() + Self.reconciliationPause
            for failure in try await stripe.reconcile().failures {
                logger.warning("Stripe could not be asked again", ("reason", "\(failure)"))
            }
        }
        try await stripe.handleEvents()
        if Instant.now() >= nextFilling {
            nextFilling = .now() + Self.fillingPause
            for (organization, error) in try await stripe.fillWallets() {
                logger.warning(
                    "a wallet is not filled", ("organization", "\(organization)"), ("reason", "\(error)"))
            }
            for (organization, error) in try await stripe.collectInvoices() {
                logger.warning(
                    "an invoice is not paid", ("organization", "\(organization)"), ("reason", "\(error)"))
            }
        }
    }

    func close() async {
        task?.cancel()
        await task?.value
    }
}
