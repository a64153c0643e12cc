import Base
import Glibc

/// Reads the regular files below a directory. Symbolic links and names that begin with a dot are left out.
enum DirectoryReader {
    /// A deeper tree is refused, as one with more files is.
    static let deepest = 16
    static let fileLimit = 10_000
    static let byteLimit = 256 * 1024 * 1024

    /// The files by their path below `root`, without a leading slash.
    static func files(in root: String) throws(SystemError) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        var bytes = 0
        try read(root, "", depth: 0, &found, &bytes)
        return found
    }

    private static func read(
        _ root: String, _ prefix: String, depth: Int, _ found: inout [String: [UInt8]], _ bytes: inout Int
    ) throws(SystemError) {
        let directory = prefix.isEmpty ? root : "\(root)/\(prefix)"
        guard depth <= deepest else { throw SystemError("read \(directory)", code: ELOOP) }
        for name in try names(in: directory) where !name.hasPrefix(".") {
            let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
            var status = stat()
            guard lstat("\(root)/\(path)", &status) == 0 else { throw SystemError("lstat \(root)/\(path)") }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                try read(root, path, depth: depth + 1, &found, &bytes)
            case S_IFREG:
                guard let content = Files.read("\(root)/\(path)") else {
                    throw SystemError("read \(root)/\(path)")
                }
                bytes += content.count
                found[path] = content
                guard found.count <= fileLimit, bytes <= byteLimit else {
                    throw SystemError("read \(root)", code: EFBIG)
                }
            default: break
            }
        }
    }

    private static func names(in directory: String) throws(SystemError) -> [String] {
        guard let stream = opendir(directory) else { throw SystemError("opendir \(directory)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // Only as many bytes of the name exist as it has: copying the field would read past the entry.
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            names.append(
                String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)))
        }
        return names
    }
}
