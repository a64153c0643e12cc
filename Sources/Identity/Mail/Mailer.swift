package import Base
import HTTPClient
package import Loop

/// Sends what lies in the outbox: one for each process, and any number of processes.
///
/// A mail is taken out for a while, sent, and marked as sent. A process that dies in between leaves it to the others when
/// that while is over, so a mail may come twice, under one Message-ID, and never not at all.
// Confined to its loop.
package final class Mailer: @unchecked Sendable {
    /// Between two looks into the outbox.
    private static let interval = Duration.seconds(1)
    /// Sent at once.
    private static let batch = 4
    /// How long a mail belongs to whoever has taken it out: all of a batch, each to its deadline, and then as many
    /// goodbyes.
    static let lease = SMTPClient.deadline + SMTPClient.answerLimit * batch + .seconds(30)
    /// How often the waiting are counted, and what is long past is deleted.
    private static let roundsBetweenCare = 10

    private let loop: EventLoop
    private let store: IdentityStore
    private let delivery: MailDelivery
    private let logger: Logger
    private let sent: Counter
    private let failed: Counter
    private let waiting = Locked(0)
    private var task: Task<Void, Never>?

    package init(
        on loop: EventLoop, _ store: IdentityStore, _ delivery: MailDelivery, metrics: Metrics, logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.delivery = delivery
        self.logger = logger
        sent = metrics.counter("hivegate_mails_sent_total", "Mails that a server has taken.")
        failed = metrics.counter("hivegate_mail_failures_total", "Attempts to send a mail that failed.")
        metrics.gauge("hivegate_mails_waiting", "Mails that are still to be sent.") { [waiting] in
            Double(waiting.withLock { $0 })
        }
    }

    package func start() {
        task = loop.spawn { [self] in await run() }
    }

    /// Mails under way are broken off: another process sends them, or this one after its next start.
    package func close() async {
        task?.cancel()
        await task?.value
    }

    private func run() async {
        var round = 0
        while !Task.isCancelled {
            do {
                if round % Self.roundsBetweenCare == 0 {
                    let count = try await store.careForOutbox()
                    waiting.withLock { $0 = count }
                }
                round += 1
                while try await sendBatch() == Self.batch, !Task.isCancelled {}
            } catch {
                logger.debug("the outbox cannot be read", ("reason", "\(error)"))
            }
            try? await loop.sleep(for: Self.interval)
        }
    }

    /// Sends some of what is due. Says how many.
    package func sendBatch() async throws -> Int {
        let mails = try await store.takeMails(atMost: Self.batch, for: Self.lease)
        await withTaskGroup(of: Void.self) { group in
            for mail in mails { group.addTask { await self.send(mail) } }
        }
        return mails.count
    }

    private func send(_ mail: OutgoingMail) async {
        var failure: (any Error)?
        do {
            try await delivery.deliver(mail)
        } catch {
            failure = error
        }
        // In a task of its own: what has happened must be noted, also where this one is cancelled by now.
        let outcome = failure
        await loop.spawn { await self.note(outcome, of: mail) }.value
    }

    private func note(_ failure: (any Error)?, of mail: OutgoingMail) async {
        do {
            if let failure {
                try await noteFailure(failure, of: mail)
            } else {
                sent.add()
                try await store.markSent(mail)
                logger.debug("mail sent", ("mail", "\(mail.id)"), ("attempt", .integer(mail.attempt)))
            }
        } catch {
            // Its time runs out, and then it is sent once more.
            logger.warning(
                "what became of a mail cannot be noted", ("mail", "\(mail.id)"), ("reason", "\(error)"))
        }
    }

    private func noteFailure(_ error: any Error, of mail: OutgoingMail) async throws {
        // A process that stops gives the mail back.
        if let error = error as? SMTPError, error.kind == .cancelled { return try await store.giveBack(mail) }
        failed.add()
        let reason = "\(error)"
        let isPermanent = (error as? SMTPError)?.isPermanent ?? (error is MailMessage.Malformed)
        let isGivenUp = isPermanent || mail.attempt >= OutgoingMail.mostAttempts
        try await store.markFailed(mail, reason: reason, isGivenUp: isGivenUp)
        logger.warning(
            "a mail was not sent", ("mail", "\(mail.id)"), ("attempt", .integer(mail.attempt)),
            ("reason", "\(reason)"), ("detail", "\((error as? SMTPError)?.detail ?? "")"),
            ("given_up", .flag(isGivenUp)))
    }
}
