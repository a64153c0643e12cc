import Glibc

/// Small files and directories, by system calls. Not for the request path: these calls may wait for a disk.
package enum Files {
    package static let largestFile = 16 * 1024 * 1024

    package static func makeDirectories(_ path: String) throws(SystemError) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            guard mkdir(prefix, 0o755) == 0 || errno == EEXIST else {
                throw SystemError("mkdir \(prefix)")
            }
        }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// `nil` where there is no such file, or it cannot be read.
    package static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while content.count < largestFile {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return content }
            guard count > 0 else { return nil }
            content.append(contentsOf: buffer[..<count])
        }
        return nil
    }

    /// Replaces the file as a whole: a reader sees the old content or the new, also after a crash.
    package static func write(_ content: [UInt8], to path: String, mode: UInt32) throws(SystemError) {
        let temporary = "\(path).\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemError("open \(temporary)") }
        defer { close(descriptor) }
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { throw SystemError("write \(temporary)") }
            rest = rest.dropFirst(max(0, count))
        }
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw SystemError("rename \(path)")
        }
    }

    package static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return "\(String(cString: current))/\(path)"
    }

    /// Whether any account can reach what lies in `path`.
    package static func isOpenToAll(_ path: String) -> Bool {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            var status = stat()
            if stat(prefix, &status) != 0 { return true }
            if status.st_mode & 0o001 == 0 { return false }
        }
        return true
    }

    /// Whether an account other than its owner's may read the file.
    package static func isReadableByOthers(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o044 != 0
    }
}
