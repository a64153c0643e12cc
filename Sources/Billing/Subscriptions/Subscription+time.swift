package import Base

extension Subscription {
    /// What time does to a subscription.
    enum Step: Equatable {
        case expire, endPeriod, fallDue, endGrace, remind, suspend, giveUp
    }

    /// The first that time does to it from here on; nil: nothing more.
    var nextStep: (at: Timestamp, step: Step)? {
        // Of those at the same moment the first: a period that ends is paid for before anything else is looked at.
        steps.min { $0.at < $1.at }
    }

    /// When the scheduler should look at it; nil: never.
    package var nextStepAt: Timestamp? { nextStep?.at }

    private var steps: [(at: Timestamp, step: Step)] {
        let endOfGrace: [(at: Timestamp, step: Step)] =
            if status == .pastDue, let graceUntil, grantedPlan != Self.fallbackPlan {
                [(graceUntil, .endGrace)]
            } else { [] }
        if stripe != nil { return endOfGrace }
        switch status {
        case .incomplete: return [(createdAt + Terms.firstPayment, .expire)]
        case .trialing: return [(period.end, .endPeriod)]
        case .active: return [(period.end, .endPeriod)] + owed(.fallDue, after: .zero)
        case .pastDue:
            return [(period.end, .endPeriod)] + endOfGrace + owed(.suspend, after: Terms.suspension)
                + nextReminder
        case .unpaid, .paused:
            return (endsWithPeriod ? [(period.end, .endPeriod)] : []) + owed(.giveUp, after: Terms.end)
                + nextReminder
        case .incompleteExpired, .canceled: return []
        }
    }

    private func owed(_ step: Step, after duration: Duration) -> [(at: Timestamp, step: Step)] {
        owedSince.map { [($0 + duration, step)] } ?? []
    }

    private var nextReminder: [(at: Timestamp, step: Step)] {
        let sent = remindedOf == owedSince ? reminders : 0
        guard sent < Terms.reminders.count else { return [] }
        return owed(.remind, after: Terms.reminders[sent])
    }

    /// Does the first of what time has brought up to `now`; nil: nothing has come. Whoever calls tells what is owed
    /// (`SubscriptionEvent.owes`) before they call again, where something was invoiced.
    package mutating func elapse(to now: Timestamp) -> [SubscriptionEffect]? {
        guard let (moment, step) = nextStep, moment <= now else { return nil }
        var effects: [SubscriptionEffect] = []
        switch step {
        case .expire:
            end(.incompleteExpired, at: moment)
            effects = [.voidInvoices]
        case .endPeriod: effects = endPeriod(at: now)
        case .fallDue:
            status = .pastDue
            graceUntil = moment + Terms.grace
        case .endGrace: break
        case .remind:
            // Whoever was not reminded while nobody looked is not reminded of it several times at once.
            reminders = Terms.reminders.count(where: { (owedSince ?? now) + $0 <= now })
            remindedOf = owedSince
            effects = [.remind(reminders)]
        case .suspend:
            status = .unpaid
            graceUntil = nil
        case .giveUp:
            end(.canceled, at: moment)
            effects = [.giveUpInvoices]
        }
        return effects + grants(at: now)
    }

    private mutating func endPeriod(at now: Timestamp) -> [SubscriptionEffect] {
        let due = Timestamp(seconds: now.seconds) + Terms.payment
        if endsWithPeriod {
            end(.canceled, at: period.end)
            return [.invoice([], due: due, withUsage: true)]
        }
        if let nextPlan {
            if nextPlan.interval != plan.interval { anchor = period.end }
            plan = nextPlan
        }
        nextPlan = nil
        if status == .trialing { status = .active }
        period = periods.period(containing: period.end)
        return [invoiceOfPeriod(due: due, withUsage: true)]
    }
}
