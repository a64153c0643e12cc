/// What asks to be admitted.
// An object, so that those who wait for the answer carry no copies of it. Confined to its loop.
package final class AdmissionRequest {
    package let subjects: SubjectList
    /// The generation of its organization's keys as of which its key is known; nil where there is no key.
    package let generation: Int64?
    package var weight: Int64 = 1
    /// The most that it can take.
    package var tokens: Int64
    package let calendar: Calendar?
    /// What it may cost; nil, or no limits: nothing is held.
    package var money: MoneyNeed?
    /// Whose it is, for whoever finds what is held for it and nobody who speaks for it.
    package var note: HoldNote?
    /// Names what is held for it.
    var hold: [UInt8] = []

    package init(_ subjects: SubjectList, generation: Int64?, tokens: Int64 = 0, calendar: Calendar? = nil) {
        self.subjects = subjects
        self.generation = generation
        self.tokens = tokens
        self.calendar = calendar
    }
}
