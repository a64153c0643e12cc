import Base
import Glibc
import Loop

/// A server that an earlier process left behind. The kernel told it to end when its parent died; it may still be
/// busy with that, and two servers must never share their data.
struct LocalOrphan {
    let pidFile: String
    let data: String
    let stopSignal: Int32

    private static let limit = Duration.seconds(20)

    func end(on loop: EventLoop, logger: Logger) async throws {
        guard let identifier else { return }
        logger.warning("ending a server that an earlier run left behind", ("pid", .integer(Int(identifier))))
        let deadline = Instant.now() + Self.limit
        kill(identifier, stopSignal)
        while self.identifier != nil {
            guard Instant.now() < deadline else {
                throw LocalServerError(
                    "another server (pid \(identifier)) uses \(data) and does not end: is hivegate running already?"
                )
            }
            try await loop.sleep(for: .milliseconds(20))
        }
    }

    /// The process that works in `data`. A pid that meanwhile belongs to another program is stale: it works
    /// elsewhere.
    private var identifier: Int32? {
        guard let file = Files.read(pidFile), let line = file.split(separator: 0x0A).first,
            let identifier = Int32(String(decoding: line, as: UTF8.self)),
            let directory = realpath("/proc/\(identifier)/cwd", nil), let own = realpath(data, nil)
        else { return nil }
        defer {
            free(directory)
            free(own)
        }
        return strcmp(directory, own) == 0 ? identifier : nil
    }
}
