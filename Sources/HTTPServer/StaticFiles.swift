package import Base
package import HTTPWire

/// Files from memory, read when the server starts or is told to read them anew. A path is looked up among the
/// names that were read, so nothing outside the directory can be reached, however a path is spelled.
///
/// `name.br` and `name.gz` beside `name` are its compressed forms and are sent to clients that take them.
package final class StaticFiles: Sendable {
    package struct Settings: Sendable {
        /// Sent for a path that ends in a slash, or for none at all.
        package var index = "index.html"
        /// Sent with 200 for a path without a file: for an application that reads its own path.
        package var fallback: String?
        /// `Cache-Control` by path. By default a name with a content hash is kept for ever, any other is
        /// asked for anew.
        package var cacheControl: @Sendable (String) -> String = StaticFiles.cacheControl
        /// Sent with every file: a content security policy, for example.
        package var fields = HTTPFields()

        package init() {}
    }

    private let directory: String
    private let settings: Settings
    private let files: Locked<[String: StaticFile]>

    /// Reads the directory. Not on the request path: it waits for the disk.
    package init(directory: String, _ settings: Settings = Settings()) throws(SystemError) {
        self.directory = directory
        self.settings = settings
        files = Locked(try Self.read(directory, settings))
    }

    /// Reads the directory again. When that fails, the files of before stay.
    package func reload() throws(SystemError) {
        let read = try Self.read(directory, settings)
        files.withLock { $0 = read }
    }

    package var paths: [String] { files.withLock { $0.keys.sorted() } }

    /// Answers with the file at `path` below the directory, decoded; throws a `Problem` where
    /// there is none.
    package func respond(_ exchange: Exchange, path: String) throws {
        var name = path
        if name.isEmpty || name.hasSuffix("/") { name += settings.index }
        let fallback = settings.fallback
        let file = files.withLock { files in files[name] ?? fallback.flatMap { files[$0] } }
        guard let file else {
            throw Problem(.notFound, code: "not_found", "There is nothing at this address.")
        }
        file.respond(exchange, settings.fields)
    }

    /// A handler for `GET …/{path*}`, or for one file where the pattern has no parameter.
    package func handler(path: String = "") -> Handler {
        { exchange in try self.respond(exchange, path: exchange.parameters["path"] ?? path) }
    }

    private static func read(_ directory: String, _ settings: Settings) throws(SystemError) -> [String:
        StaticFile]
    {
        let contents = try DirectoryReader.files(in: directory)
        var files: [String: StaticFile] = [:]
        for (path, content) in contents {
            let isVariant = [".br", ".gz"].contains {
                path.hasSuffix($0) && contents[String(path.dropLast(3))] != nil
            }
            if isVariant { continue }
            files[path] = StaticFile(
                path: path, content, brotli: contents["\(path).br"], gzip: contents["\(path).gz"],
                cacheControl: settings.cacheControl(path))
        }
        return files
    }

    /// `app.3f2a9c1b.js` never changes; what has no hash in its name may.
    package static func cacheControl(_ path: String) -> String {
        let isHashed = path.split(separator: "/").last?.split(separator: ".").dropFirst().dropLast().contains
        { part in
            part.utf8.count >= 8 && part.utf8.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 6 }
        }
        return isHashed == true ? "public, max-age=31536000, immutable" : "no-cache"
    }
}
