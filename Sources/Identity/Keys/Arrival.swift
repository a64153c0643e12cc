/// Who presents a key, as far as this process knows. Whether it still holds, Redis says: `KeyRing.confirm`.
// Confined to its loop.
package final class Arrival: @unchecked Sendable {
    package let key: APIKey
    package private(set) var caller: Caller
    /// The generation of the organization's keys as of which the caller is known.
    package private(set) var generation: Int64
    /// nil: the database has just said it.
    private(set) var remembered: KeyRing.Remembered?
    /// Whether it holds for this request.
    package private(set) var isConfirmed = false

    init(_ key: APIKey, _ known: KnownCaller, _ remembered: KeyRing.Remembered? = nil) {
        self.key = key
        self.remembered = remembered
        caller = known.caller
        generation = known.generation
    }

    func confirm() { isConfirmed = true }

    func renew(_ known: KnownCaller) {
        remembered = nil
        caller = known.caller
        generation = known.generation
        isConfirmed = true
    }
}
