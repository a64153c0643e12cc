import Base
import Redis

/// What `admit` is asked, in the order in which it reads.
extension Gatekeeper {
    func command(for request: AdmissionRequest) -> RedisCommand {
        let subjects = request.subjects
        if subjects.isEmpty, request.money == nil { return RedisCommand(subjects.askingNothing, room: 0) }
        let now = clock.now(time.instant(), time.timestamp())
        let month = request.calendar?.month(at: now)
        // What Redis does later than this is answered too late: it shall not count what is decided here then.
        let deadline = Double(now + bounds.patience.milliseconds * 9 / 10)
        if let command = subjects.lastAsking?.again(request, in: month, until: deadline) { return command }
        let holders = request.money?.limits.count ?? 0
        var numbers = numbers(
            weight: request.weight, tokens: request.tokens, deadline: deadline,
            generation: request.generation, month: month?.index ?? 0, at: subjects.place,
            windowed: subjects.windowed.count,
            slotted: subjects.slotted.count, holders: holders, more: subjects.limits.count + 4 + holders)
        numbers.append(contentsOf: subjects.limits)
        if let month {
            numbers.append(Double(month.start))
            numbers.append(Double(month.end))
        }
        if !subjects.slotted.isEmpty {
            numbers.append(identity)
            numbers.append(Double(bounds.lease.milliseconds))
        }
        if let money = request.money {
            for _ in money.limits { numbers.append(Double(money.nanodollars)) }
        }
        var command = RedisCommand(
            subjects.asking,
            room: 8 * numbers.count + subjects.fields.size + 20 + (holders > 0 ? 48 * holders + 300 : 0))
        command.add(numbers)
        // The third of the numbers, which end with the line's end.
        let deadlinePlace = command.size - 2 - 8 * (numbers.count - 2)
        command.add(subjects.fields)
        if let money = request.money {
            for limit in money.limits { command.add(limit.field) }
            command.add(request.hold)
            command.add(request.note?.encoded(by: identity) ?? [])
        } else {
            subjects.lastAsking = LastAsking(request, month, command, deadlineAt: deadlinePlace)
        }
        return command
    }

    /// To count what was admitted without Redis, whatever the limits are.
    func command(paying debt: SubjectMemory.Debt, of memory: SubjectMemory) -> RedisCommand {
        let subject = Subject(Limits(requests: .init(day: Limits.largest)), of: memory)
        var numbers = numbers(
            weight: debt.requests, tokens: debt.tokens, deadline: 0, generation: nil, month: debt.month,
            at: memory.place, windowed: 1, slotted: 0, holders: 0, more: 10)
        numbers += subject.windows ?? []
        // Whichever month it is by now.
        if debt.month > 0 { numbers += [0, 1e15] }
        var command = RedisCommand(calling: AdmissionLibrary.admit, keyCount: 1)
        command.add(memory.place.key)
        command.add(numbers)
        command.add(subject.field)
        return command
    }

    /// Those that are never left out, and room for as many more.
    private func numbers(
        weight: Int64, tokens: Int64, deadline: Double, generation: Int64?, month: Int64, at place: Place,
        windowed: Int, slotted: Int, holders: Int, more: Int
    ) -> [Double] {
        var numbers: [Double] = []
        numbers.reserveCapacity(9 + more)
        numbers.append(Double(weight))
        numbers.append(Double(tokens))
        numbers.append(deadline)
        numbers.append(Double(generation ?? -1))
        numbers.append(Double(month))
        numbers.append(Double(life(at: place)))
        numbers.append(Double(windowed))
        numbers.append(Double(slotted))
        numbers.append(Double(holders))
        return numbers
    }
}
