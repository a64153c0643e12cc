package import Base
import Glibc
package import Loop

/// A private PostgreSQL: a cluster of its own, reachable only by its unix socket.
package enum LocalPostgres {
    package static let superuser = "hivegate"

    /// Settings of a server.
    package struct Options: Sendable {
        /// Off only where the data may be lost with the machine: in tests.
        package var isDurable = true
        package var connectionCount = 100

        package init() {}
    }

    /// Makes the cluster if there is none, ends a server that an earlier process left behind, and starts.
    /// The server is not ready yet when this returns.
    package static func start(
        in place: LocalPlace, _ options: Options = Options(), on loop: EventLoop, logger: Logger
    ) async throws -> LocalServer {
        let programs = try programDirectory()
        let data = "\(place.data)/postgres"
        try await makeCluster(data, programs, place, on: loop, logger: logger)
        // SIGINT is the fast shutdown: it ends sessions instead of waiting for them.
        let orphan = LocalOrphan(pidFile: "\(data)/postmaster.pid", data: data, stopSignal: SIGINT)
        try await orphan.end(on: loop, logger: logger)
        let server = LocalServer(
            "postgres",
            command: place.account.command(
                ["\(programs)/postgres", "-D", data] + settings(options, place), parentDeathSignal: "INT"),
            logPath: "\(place.root)/postgres.log", stopSignal: SIGINT, on: loop, logger: logger)
        try server.start()
        return server
    }

    /// How a client reaches `database`.
    package static func url(in place: LocalPlace, database: String) -> String {
        let socket = place.sockets.utf8.map { byte in
            Base62.isDigit(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
                ? String(UnicodeScalar(byte)) : "%" + String(hex: CollectionOfOne(byte)).uppercased()
        }.joined()
        return "postgresql://\(superuser)@/\(database)?host=\(socket)"
    }

    private static func settings(_ options: Options, _ place: LocalPlace) -> [String] {
        var settings = [
            "listen_addresses=", "unix_socket_directories=\(place.sockets)", "unix_socket_permissions=0700",
            "max_connections=\(options.connectionCount)", "shared_buffers=64MB", "log_timezone=UTC",
            "timezone=UTC",
        ]
        if !options.isDurable { settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"] }
        return settings.flatMap { ["-c", $0] }
    }

    private static func programDirectory() throws(LocalServerError) -> String {
        for version in stride(from: 18, through: 15, by: -1) {
            let directory = "/usr/lib/postgresql/\(version)/bin"
            if access("\(directory)/initdb", X_OK) == 0 { return directory }
        }
        throw LocalServerError("PostgreSQL is not installed: apt-get install postgresql")
    }

    private static func makeCluster(
        _ data: String, _ programs: String, _ place: LocalPlace, on loop: EventLoop, logger: Logger
    ) async throws {
        if Files.exists("\(data)/PG_VERSION") { return }
        logger.info("making a database cluster", ("path", "\(data)"))
        // It is made beside its place and moved there when it is whole, so that an interrupted first start
        // leaves nothing that looks like a cluster.
        let draft = "\(data).draft"
        try await run(["rm", "-rf", draft], "clear an unfinished cluster", place, on: loop)
        try place.account.makeDirectory(draft)
        let initialize = [
            "\(programs)/initdb", "-D", draft, "-U", superuser, "--auth-local=trust", "--auth-host=reject",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
        ]
        try await run(
            place.account.command(initialize, parentDeathSignal: "KILL"), "make a database cluster", place,
            on: loop)
        guard rename(draft, data) == 0 else {
            throw LocalServerError("cannot move \(draft): \(SystemError("rename"))")
        }
    }

    private static func run(
        _ command: [String], _ purpose: String, _ place: LocalPlace, on loop: EventLoop
    ) async throws {
        let log = "\(place.root)/postgres.log"
        let exit = try await ChildProcess(command, log: log, on: loop).waitForExit(
            until: .now() + .seconds(120))
        guard exit == .status(0) else { throw LocalServerError("cannot \(purpose) (\(exit)); see \(log)") }
    }
}
