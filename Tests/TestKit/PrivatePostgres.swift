import Base
import Glibc

/// A Postgres of the tests' own: on a unix socket in a directory of its own, without `fsync`, gone with the
/// process.
// What changes is behind the lock.
package final class PrivatePostgres: @unchecked Sendable {
    /// The one that the tests of this process share. Whoever stops or kills a server makes one of their own.
    package static let shared: PrivatePostgres = {
        let server = PrivatePostgres()
        atexit { PrivatePostgres.shared.remove() }
        return server
    }()

    private static let programs = "/usr/lib/postgresql/15/bin"
    private static let user = "postgres"
    private static let startLimit = Duration.seconds(60)

    package let directory: String
    private let state = Locked(State())
    private struct State {
        var process: ServerProcess?
        var databases = 0
        var migration: Task<Void, any Error>?
    }

    /// Where the server also listens with TLS and asks for passwords; `nil` is the unix socket alone.
    package let tlsPort: Int?

    /// Creates and starts a server.
    package init(tls: Bool = false) {
        tlsPort = tls ? freePort() : nil
        TemporaryDirectory.removeStale()
        directory = TemporaryDirectory.make("postgres")
        // The server's user owns the directory; we, as root or as that user, reach everything in it.
        if getuid() == 0 { runToEnd(["chown", Self.user, directory]) }
        let status = runToEnd(
            [
                "\(Self.programs)/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            ], user: Self.user, log: log)
        precondition(status == 0, "initdb fails; see \(log)")
        if tls { prepareTLS() }
        start()
    }

    /// The server's certificate, for the name `localhost`; it is its own authority.
    package var certificate: String { "\(directory)/certificate.pem" }
    private var key: String { "\(directory)/key.pem" }

    private func prepareTLS() {
        let status = runToEnd(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", key, "-out", certificate,
            ], user: Self.user, log: log)
        precondition(status == 0, "openssl fails; see \(log)")
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        let descriptor = open("\(data)/pg_hba.conf", O_WRONLY | O_TRUNC)
        let written = write(descriptor, rules, rules.utf8.count)
        precondition(written == rules.utf8.count, "pg_hba.conf cannot be written")
        close(descriptor)
    }

    /// The number in the name of the unix socket.
    private var port: String { String(tlsPort ?? 5432) }
    private var data: String { "\(directory)/data" }
    private var log: String { "\(directory)/log" }

    /// The server's first process.
    package var processIdentifier: Int32? { state.withLock { $0.process?.identifier } }

    /// Starts the server and waits until it answers.
    package func start() {
        var settings = ["-c", "listen_addresses="]
        if let tlsPort {
            settings = [
                "-c", "listen_addresses=127.0.0.1", "-p", String(tlsPort), "-c", "ssl=on",
                "-c", "ssl_cert_file=\(certificate)", "-c", "ssl_key_file=\(key)",
            ]
        }
        let process = ServerProcess(
            [
                "\(Self.programs)/postgres", "-D", data, "-k", directory,
                "-c", "fsync=off", "-c", "full_page_writes=off",
                "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "autovacuum=off",
                "-c", "deadlock_timeout=100ms", "-c", "log_min_messages=fatal",
            ] + settings, user: Self.user, deathSignal: "QUIT", log: log)
        state.withLock { $0.process = process }
        let deadline = Instant.now() + Self.startLimit
        while runToEnd(["\(Self.programs)/pg_isready", "-q", "-h", directory, "-p", port]) != 0 {
            precondition(Instant.now() < deadline, "Postgres does not start; see \(log)")
            usleep(20_000)
        }
    }

    /// Ends the server at once, as a power cut would, and waits until all of it is gone.
    package func kill() { end(with: SIGKILL) }

    /// Ends the server in order; sessions are told to go.
    package func stop() { end(with: SIGINT) }

    /// Ends the server and removes what it wrote.
    package func remove() {
        end(with: SIGQUIT)
        TemporaryDirectory.remove(directory)
    }

    /// The URL of a database as the superuser, or as `user`.
    package func url(_ database: String = "postgres", user: String = "postgres") -> String {
        "postgres://\(user)@/\(database)?host=\(directory)&port=\(port)"
    }

    /// Creates a database, empty or a copy of `template`, and gives its URL.
    package func freshDatabase(template: String = "template0") -> String {
        let name = state.withLock { state in
            state.databases += 1
            return "test_\(state.databases)"
        }
        return makeDatabase(name, template: template)
    }

    /// Creates a database with the migrations of the product, and gives its URL: a copy of the first, in which they were run
    /// by `migrate`.
    package func migratedDatabase(
        _ migrate: @escaping @Sendable (_ url: String) async throws -> Void
    ) async throws -> String {
        let template = "migrated"
        let migration = state.withLock { state in
            if let migration = state.migration { return migration }
            let migration = Task { try await migrate(makeDatabase(template, template: "template0")) }
            state.migration = migration
            return migration
        }
        try await migration.value
        return freshDatabase(template: template)
    }

    private func makeDatabase(_ name: String, template: String) -> String {
        let status = runToEnd(
            [
                "\(Self.programs)/createdb", "-h", directory, "-p", port, "-U", "postgres", "-T", template,
                name,
            ], log: log)
        precondition(status == 0, "createdb fails; see \(log)")
        return url(name)
    }

    private func end(with signal: Int32) {
        let process = state.withLock { state in
            defer { state.process = nil }
            return state.process
        }
        guard let process else { return }
        process.send(signal: signal)
        process.waitForEnd()
    }
}
