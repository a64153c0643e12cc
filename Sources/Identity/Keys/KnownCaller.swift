/// The caller of a key, and how many changes of its organization's keys were made before they were read.
package struct KnownCaller: Equatable, Sendable {
    package var caller: Caller
    package var generation: Int64

    package init(_ caller: Caller, generation: Int64) {
        self.caller = caller
        self.generation = generation
    }
}
