import Glibc

/// Directories of this test process under `/tmp`, short enough for the path of a unix socket (107 bytes), and
/// removed by whoever made them. What a killed process left behind is removed by the next one.
package enum TemporaryDirectory {
    private static let prefix = "hivegate-test-"
    private static let root = "/tmp"

    /// A new directory that any user may enter: servers run as users of their own.
    package static func make(_ name: String) -> String {
        var template = Array("\(root)/\(prefix)\(getpid())-\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("mkdtemp fails with errno \(errno)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, 0o755)
        return path
    }

    package static func remove(_ path: String) {
        precondition(path.hasPrefix("\(root)/\(prefix)"), "only what make() made is removed")
        runToEnd(["rm", "-rf", path])
    }

    /// Removes what processes that no longer live have left.
    package static func removeStale() {
        guard let directory = opendir(root) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            // Only as many bytes of the name exist as it has: copying the field would read past the entry.
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            guard name.hasPrefix(prefix) else { continue }
            guard let owner = Int32(name.dropFirst(prefix.count).prefix { $0 != "-" }) else { continue }
            if kill(owner, 0) != 0, errno == ESRCH { remove("\(root)/\(name)") }
        }
    }
}
