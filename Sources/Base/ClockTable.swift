/// A dictionary of at most `capacity` entries. To make room it goes around the entries like the hand of a clock, past
/// those that were asked for since it came by last, and takes the first that was not: nothing is sorted or searched.
///
/// Public, because only what is public is specialised in other targets.
@frozen
public struct ClockTable<Key: Hashable, Value> {
    @usableFromInline struct Slot {
        @usableFromInline var key: Key
        @usableFromInline var value: Value
        @usableFromInline var wasAskedFor: Bool

        @inlinable init(key: Key, value: Value, wasAskedFor: Bool) {
            self.key = key
            self.value = value
            self.wasAskedFor = wasAskedFor
        }
    }

    @usableFromInline let capacity: Int
    @usableFromInline var places: [Key: Int32] = [:]
    @usableFromInline var slots: [Slot] = []
    @usableFromInline var hand = 0

    @inlinable public init(capacity: Int) { self.capacity = max(1, capacity) }

    @inlinable public var count: Int { slots.count }

    @inlinable public mutating func value(for key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        slots[Int(place)].wasAskedFor = true
        return slots[Int(place)].value
    }

    @inlinable public mutating func set(_ value: Value, for key: Key) {
        if let place = places[key] {
            slots[Int(place)].value = value
        } else if slots.count < capacity {
            places[key] = Int32(slots.count)
            slots.append(Slot(key: key, value: value, wasAskedFor: false))
        } else {
            let place = nextToGo()
            places[slots[place].key] = nil
            places[key] = Int32(place)
            slots[place] = Slot(key: key, value: value, wasAskedFor: false)
        }
    }

    @inlinable public mutating func remove(_ key: Key) {
        if let place = places[key] { remove(at: Int(place)) }
    }

    @inlinable public mutating func updateAll(_ change: (inout Value) -> Void) {
        for place in slots.indices { change(&slots[place].value) }
    }

    @inlinable public mutating func removeAll() {
        places = [:]
        slots = []
        hand = 0
    }

    /// The last entry takes the place of the one that goes.
    @inlinable mutating func remove(at place: Int) {
        places[slots[place].key] = nil
        let last = slots.removeLast()
        guard place < slots.count else { return }
        slots[place] = last
        places[last.key] = Int32(place)
    }

    /// At the worst the hand goes around once, past entries that were all asked for; each pass was paid for by a use.
    @inlinable mutating func nextToGo() -> Int {
        while true {
            advance()
            guard slots[hand].wasAskedFor else { return hand }
            slots[hand].wasAskedFor = false
        }
    }

    @inlinable mutating func advance() { hand = hand + 1 < slots.count ? hand + 1 : 0 }
}
