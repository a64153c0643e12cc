/// A descriptor's place in a loop's table. Events of a place that has been given up are dropped by its
/// generation, so a descriptor number that the kernel reuses at once never gets its predecessor's events.
package struct Registration: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    var tag: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// The table behind a loop's registrations.
struct RegistrationTable {
    typealias Handler = (Readiness) -> Void

    private struct Slot {
        var generation: UInt32 = 0
        var descriptor: Int32 = -1
        var handler: Handler?
    }

    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []

    var count: Int { slots.count - freeSlots.count }

    mutating func insert(_ descriptor: Int32, _ handler: @escaping Handler) -> Registration {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot())
        }
        slots[Int(slot)].descriptor = descriptor
        slots[Int(slot)].handler = handler
        return Registration(slot: slot, generation: slots[Int(slot)].generation)
    }

    func descriptor(of registration: Registration) -> Int32? {
        let slot = Int(registration.slot)
        guard slot < slots.count, slots[slot].generation == registration.generation else { return nil }
        return slots[slot].descriptor
    }

    func handler(tag: UInt64) -> Handler? {
        let slot = Int(tag & 0xFFFF_FFFF)
        guard slot < slots.count, slots[slot].generation == UInt32(tag >> 32) else { return nil }
        return slots[slot].handler
    }

    /// The descriptor that was registered, if it still was.
    mutating func remove(_ registration: Registration) -> Int32? {
        guard let descriptor = descriptor(of: registration) else { return nil }
        let slot = Int(registration.slot)
        slots[slot].handler = nil
        slots[slot].descriptor = -1
        slots[slot].generation &+= 1
        freeSlots.append(registration.slot)
        return descriptor
    }
}
