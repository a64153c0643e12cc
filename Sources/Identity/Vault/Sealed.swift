/// A secret as it lies in the database.
package struct Sealed: Equatable, Sendable {
    /// The secret, under a key of its own.
    package var sealed: [UInt8]
    /// That key, under the master key.
    package var wrappedKey: [UInt8]
    package var masterVersion: Int16

    package init(sealed: [UInt8], wrappedKey: [UInt8], masterVersion: Int16) {
        self.sealed = sealed
        self.wrappedKey = wrappedKey
        self.masterVersion = masterVersion
    }
}
