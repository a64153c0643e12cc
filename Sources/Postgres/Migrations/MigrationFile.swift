import Base
import Glibc

/// One step of the schema: `20261121093000_create_users.sql`.
package struct MigrationFile: Sendable, Equatable {
    /// Fourteen digits, a UTC time.
    package let version: String
    package let name: String
    package let text: String
    /// SHA-256 of the file.
    package let checksum: [UInt8]

    package var fileName: String { "\(version)_\(name).sql" }

    /// Whether the file asks to run outside a transaction, with its first line.
    package var runsInTransaction: Bool { !text.hasPrefix(Self.noTransaction) }

    private static let noTransaction = "-- hivegate: no transaction"
    private static let suffix = ".sql"
    private static let versionLength = 14
    private static let maximumSize = 4 << 20
    private static let maximumCount = 10_000

    package init(fileName: String, content: [UInt8]) throws(PostgresError) {
        guard fileName.hasSuffix(Self.suffix), let separator = fileName.firstIndex(of: "_") else {
            throw Self.fault(fileName, "is not named YYYYMMDDHHMMSS_name.sql")
        }
        version = String(fileName[..<separator])
        name = String(fileName[fileName.index(after: separator)...].dropLast(Self.suffix.count))
        guard Self.isTime(version) else {
            throw Self.fault(fileName, "does not begin with a time, YYYYMMDDHHMMSS")
        }
        let isPlain = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
        }
        guard !name.isEmpty, isPlain else {
            throw Self.fault(fileName, "may have only a-z, 0-9 and _ in its name")
        }
        guard let text = String(validating: content, as: UTF8.self), !content.contains(0) else {
            throw Self.fault(fileName, "is not UTF-8 text")
        }
        self.text = text
        checksum = Digest.sha256(content)
    }

    /// The `.sql` files of a directory, in order.
    package static func read(directory: String) throws(PostgresError) -> [MigrationFile] {
        guard let stream = opendir(directory) else {
            throw PostgresError(.migration, "\(SystemError("open \(directory)"))")
        }
        defer { closedir(stream) }
        var files: [MigrationFile] = []
        while let entry = readdir(stream) {
            // Only as many bytes of the name exist as it has: copying the field would read past the entry.
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let fileName = String(
                cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            guard fileName.hasSuffix(suffix), !fileName.hasPrefix(".") else { continue }
            guard files.count < maximumCount else {
                throw PostgresError(.migration, "\(directory) holds more than \(maximumCount) migrations")
            }
            let content = try content(of: "\(directory)/\(fileName)", named: fileName)
            files.append(try MigrationFile(fileName: fileName, content: content))
        }
        return files.sorted { $0.version < $1.version }
    }

    private static func content(of path: String, named fileName: String) throws(PostgresError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PostgresError(.migration, "\(SystemError("open \(path)"))") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { return content }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw PostgresError(.migration, "\(SystemError("read \(path)"))")
            }
            content.append(contentsOf: piece[..<count])
            guard content.count <= maximumSize else {
                throw fault(fileName, "is larger than \(maximumSize) bytes")
            }
        }
    }

    private static func isTime(_ text: String) -> Bool {
        let digits = text.utf8.map { Int($0) - 0x30 }
        guard digits.count == versionLength, digits.allSatisfy({ (0...9).contains($0) }) else { return false }
        func pair(_ index: Int) -> Int { digits[index] * 10 + digits[index + 1] }
        return (1...12).contains(pair(4)) && (1...31).contains(pair(6)) && pair(8) < 24 && pair(10) < 60
            && pair(12) < 60
    }

    private static func fault(_ fileName: String, _ reason: String) -> PostgresError {
        PostgresError(.migration, "The migration \(fileName) \(reason).")
    }
}
