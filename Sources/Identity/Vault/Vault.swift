package import Base

/// Seals secrets so that the database alone is worth nothing, and so that a secret opens only in the place it was sealed
/// for: a row copied to another organization stays shut.
///
/// Each secret is encrypted under a random key of its own (AES-256-GCM), and that key under the newest master key.
package struct Vault: Sendable {
    private let keys: MasterKeys

    package init(_ keys: MasterKeys) { self.keys = keys }

    /// Of the master key under which new secrets go.
    package var newestVersion: Int16 { keys.newestVersion }

    /// Where a secret belongs. All of it is proven when the secret is opened.
    package struct Place: Equatable, Sendable {
        /// What it is: `provider_credential`, `totp`.
        package var kind: String
        package var organization: UUID?
        package var row: UUID
        /// What else must not change: the provider of a credential.
        package var detail: String

        package init(kind: String, organization: UUID?, row: UUID, detail: String = "") {
            self.kind = kind
            self.organization = organization
            self.row = row
            self.detail = detail
        }
    }

    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The file of master keys lacks the version that the secret is under.
        case unknownVersion
        /// It was changed, moved, or is under another key of the same version. Which of these cannot be told.
        case doesNotOpen

        package var description: String {
            switch self {
            case .unknownVersion:
                "a stored secret is under a master key that the file does not hold: put its line back, and rewrap"
            case .doesNotOpen:
                "a stored secret does not open: it was changed, or the file holds another master key of its version"
            }
        }
    }

    package func seal(_ secret: [UInt8], at place: Place) -> Sealed {
        let dataKey = Random.bytes(AES256GCM.keyLength)
        return Sealed(
            sealed: AES256GCM.seal(secret, key: dataKey, associated: place.associatedData(.secret)),
            wrappedKey: wrap(dataKey, at: place), masterVersion: keys.newestVersion)
    }

    package func open(_ sealed: Sealed, at place: Place) throws(Failure) -> [UInt8] {
        let dataKey = try unwrap(sealed, at: place)
        guard
            let secret = AES256GCM.open(
                sealed.sealed, key: dataKey, associated: place.associatedData(.secret))
        else { throw .doesNotOpen }
        return secret
    }

    /// The same secret under the newest master key; `nil` where it is already. The secret itself is not decrypted, and
    /// `sealed` stays as it is.
    package func rewrap(_ sealed: Sealed, at place: Place) throws(Failure) -> Sealed? {
        guard sealed.masterVersion != keys.newestVersion else { return nil }
        let dataKey = try unwrap(sealed, at: place)
        return Sealed(
            sealed: sealed.sealed, wrappedKey: wrap(dataKey, at: place), masterVersion: keys.newestVersion)
    }

    private func wrap(_ dataKey: [UInt8], at place: Place) -> [UInt8] {
        AES256GCM.seal(
            dataKey, key: keys.newest, associated: place.associatedData(.key(version: keys.newestVersion)))
    }

    private func unwrap(_ sealed: Sealed, at place: Place) throws(Failure) -> [UInt8] {
        guard let master = keys.key(ofVersion: sealed.masterVersion) else { throw .unknownVersion }
        let associated = place.associatedData(.key(version: sealed.masterVersion))
        guard let dataKey = AES256GCM.open(sealed.wrappedKey, key: master, associated: associated),
            dataKey.count == AES256GCM.keyLength
        else { throw .doesNotOpen }
        return dataKey
    }
}

extension Vault.Place {
    enum Layer {
        case secret
        case key(version: Int16)
    }

    /// Two places never give the same bytes: what has no fixed length is preceded by its length.
    func associatedData(_ layer: Layer) -> [UInt8] {
        var bytes: [UInt8] = []
        switch layer {
        case .secret:
            bytes.append(1)
        case .key(let version):
            bytes.append(2)
            bytes.append(bigEndian: UInt32(UInt16(bitPattern: version)))
        }
        bytes.append(measured: kind)
        if let organization {
            bytes.append(1)
            bytes.append(contentsOf: organization.bytes)
        } else {
            bytes.append(0)
        }
        bytes.append(contentsOf: row.bytes)
        bytes.append(measured: detail)
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
        }
    }

    fileprivate mutating func append(measured text: String) {
        append(bigEndian: UInt32(text.utf8.count))
        append(text)
    }
}
