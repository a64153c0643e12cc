package import Base
import Glibc
package import Loop

/// A private Redis: reachable only by its unix socket, its data appended to a log every second.
package enum LocalRedis {
    package struct Options: Sendable {
        /// Off only where the data may be lost with the process: in tests.
        package var isDurable = true

        package init() {}
    }

    /// Ends a server that an earlier process left behind, and starts. The server is not ready yet when this
    /// returns.
    package static func start(
        in place: LocalPlace, _ options: Options = Options(), on loop: EventLoop, logger: Logger
    ) async throws -> LocalServer {
        let data = "\(place.data)/redis"
        try place.account.makeDirectory(data)
        let orphan = LocalOrphan(pidFile: "\(data)/redis.pid", data: data, stopSignal: SIGTERM)
        try await orphan.end(on: loop, logger: logger)
        let durability =
            options.isDurable
            ? ["--appendonly", "yes", "--appendfsync", "everysec"] : ["--appendonly", "no"]
        let arguments =
            [
                "redis-server", "--port", "0", "--unixsocket", socket(in: place), "--unixsocketperm", "700",
                "--dir", data, "--pidfile", "\(data)/redis.pid", "--daemonize", "no", "--save", "",
                "--maxmemory-policy", "noeviction",
            ] + durability
        let server = LocalServer(
            "redis", command: place.account.command(arguments, parentDeathSignal: "TERM"),
            logPath: "\(place.root)/redis.log", stopSignal: SIGTERM, on: loop, logger: logger)
        try server.start()
        return server
    }

    /// How a client reaches the server.
    package static func url(in place: LocalPlace) -> String { "unix://\(socket(in: place))" }

    package static func socket(in place: LocalPlace) -> String { "\(place.sockets)/redis.sock" }
}
