/// Numbers that do not repeat in practice, for names that are no secrets. Seeded by the kernel once, because to ask it for
/// each name would cost as much as a short answer.
package struct UniqueNumbers {
    private var state = Random.words()

    package init() {}

    package mutating func next() -> (UInt64, UInt64) { (step(), step()) }

    /// xoroshiro128+.
    private mutating func step() -> UInt64 {
        let result = state.0 &+ state.1
        let mixed = state.0 ^ state.1
        state.0 = (state.0 << 24 | state.0 >> 40) ^ mixed ^ (mixed << 16)
        state.1 = mixed << 37 | mixed >> 27
        return result
    }
}
