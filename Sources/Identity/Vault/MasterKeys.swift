package import Base

/// The keys that wrap all others, out of a file that only the program reads. New secrets go under the newest; older ones
/// stay until nothing is left under them.
package struct MasterKeys: Sendable, CustomStringConvertible, CustomReflectable {
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    private let keys: [Int16: [UInt8]]
    package let newestVersion: Int16

    /// Lines of `VERSION:BASE64` with 32 bytes each. Empty lines, and lines that begin with `#`, say nothing.
    package init(parsing text: Secret) throws(Fault) {
        var keys: [Int16: [UInt8]] = [:]
        for (index, line) in text.reveal().utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
            .enumerated()
        {
            let line = Self.trimmed(line)
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let (version, key) = try Self.key(String(decoding: line, as: UTF8.self), line: index + 1)
            guard keys.updateValue(key, forKey: version) == nil else {
                throw Fault(description: "version \(version) is given twice")
            }
        }
        guard let newest = keys.keys.max() else { throw Fault(description: "holds no key") }
        self.keys = keys
        newestVersion = newest
    }

    /// The text of a file with one new key. It is a secret: write it where only the program reads, and keep a copy.
    package static func newFile(version: Int = 1) -> String {
        """
        # Hivegate's master keys: VERSION:KEY, the highest version for what is new. Without this file no stored secret
        # can be read again. To rotate, add a line with a higher version, restart, and rewrap.
        \(version):\(Base64.encode(Random.bytes(AES256GCM.keyLength)))

        """
    }

    func key(ofVersion version: Int16) -> [UInt8]? { keys[version] }

    var newest: [UInt8] {
        guard let key = keys[newestVersion] else { preconditionFailure("the newest is one of them") }
        return key
    }

    /// Says where the fault is, and nothing of what is there.
    private static func key(_ line: String, line number: Int) throws(Fault) -> (Int16, [UInt8]) {
        let pieces = line.split(separator: ":", maxSplits: 1)
        guard pieces.count == 2, let version = Int16(pieces[0]), version > 0 else {
            throw Fault(description: "line \(number) must be VERSION:KEY, with a version from 1 to 32767")
        }
        guard let key = Base64.decode(pieces[1]), key.count == AES256GCM.keyLength else {
            throw Fault(
                description: "the key in line \(number) must be \(AES256GCM.keyLength) bytes in base64")
        }
        return (version, key)
    }

    private static func trimmed(_ line: Substring.UTF8View) -> Substring.UTF8View {
        var line = line
        while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0D { line.removeLast() }
        return line.drop { $0 == 0x20 || $0 == 0x09 }
    }

    package var description: String { "master keys up to version \(newestVersion)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
