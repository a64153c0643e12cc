import Base
import HTTPClient
import Identity
import Loop
import Postgres

/// Sends mails on a thread of its own: ending a connection to a mail server holds its thread up.
// The group and the objects of its loop are fixed once it has started.
final class MailService: @unchecked Sendable {
    private let group: LoopGroup
    private let pool: PostgresPool
    private let mailer: Mailer

    private init(_ group: LoopGroup, _ pool: PostgresPool, _ mailer: Mailer) {
        self.group = group
        self.pool = pool
        self.mailer = mailer
    }

    /// `nil` where mails stay in the outbox.
    static func start(
        _ configuration: Configuration, _ storage: Storage, _ identity: SharedIdentity, metrics: Metrics,
        logger: Logger
    ) async throws -> MailService? {
        guard let way = configuration.mail.way else { return nil }
        let group = try LoopGroup(count: 1, name: "mail")
        try group.start()
        let loop = group.loops[0]
        return await Task(executorPreference: loop) {
            var limits = PoolLimits()
            limits.maximum = 1
            let pool = PostgresPool(storage.database, limits: limits, on: loop)
            let delivery: MailDelivery =
                switch way {
                case .log: .log(logger)
                case .smtp(let server, let sender):
                    .smtp(
                        SMTPClient(
                            on: loop, server, name: configuration.mail.hostName,
                            authorities: configuration.authorities),
                        from: sender)
                }
            let mailer = Mailer(on: loop, identity.store(pool), delivery, metrics: metrics, logger: logger)
            mailer.start()
            return MailService(group, pool, mailer)
        }.value
    }

    func close(until deadline: Instant) async {
        let mailer = mailer
        let pool = pool
        await group.loops[0].spawn {
            await mailer.close()
            await pool.close(until: deadline)
        }.value
        group.stop()
    }
}
