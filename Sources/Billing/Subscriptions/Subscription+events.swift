package import Base

extension Subscription {
    /// Changes it as was wished, all or nothing.
    package mutating func apply(
        _ event: SubscriptionEvent, at now: Timestamp
    ) throws(SubscriptionConflict) -> [SubscriptionEffect] {
        var changed = self
        var effects = try changed.change(event, at: Timestamp(seconds: now.seconds))
        if stripe != nil {
            if case .owes = event { return [] }
            return [.askStripe(event)]
        }
        effects += changed.grants(at: now)
        self = changed
        return effects
    }

    private mutating func change(
        _ event: SubscriptionEvent, at now: Timestamp
    ) throws(SubscriptionConflict) -> [SubscriptionEffect] {
        if case .owes(let since) = event { return settle(owedSince: since, at: now) }
        if status.isEnd { throw .ended }
        switch event {
        case .upgrade(let plan, let moment): return try upgrade(to: plan, from: moment ?? now, at: now)
        case .downgrade(let plan): try downgrade(to: plan)
        case .keepPlan:
            guard nextPlan != nil else { throw .noChangePending }
            nextPlan = nil
        case .cancelNow: return cancel(at: now)
        case .cancelAtPeriodEnd:
            try refuseUnlessRunning(evenIfOwed: true)
            if endsWithPeriod { throw .alreadyEnding }
            endsWithPeriod = true
        case .resume: return try resume(at: now)
        case .pause:
            if status == .paused { throw .alreadyPaused }
            try refuseUnlessRunning()
            status = .paused
        case .owes: break
        }
        return []
    }

    /// Where it is not trialing or active, and with `evenIfOwed` not past due either.
    private func refuseUnlessRunning(evenIfOwed: Bool = false) throws(SubscriptionConflict) {
        switch status {
        case .trialing, .active: break
        case .pastDue: if !evenIfOwed { throw .paymentOwed }
        case .unpaid: throw .paymentOwed
        case .incomplete: throw .incomplete
        case .paused: throw .paused
        case .canceled, .incompleteExpired: throw .ended
        }
    }

    // MARK: Another plan

    private mutating func upgrade(
        to plan: SubscribedPlan, from moment: Timestamp, at now: Timestamp
    ) throws(SubscriptionConflict) -> [SubscriptionEffect] {
        try refuseUnlessRunning()
        try refuseSame(plan)
        guard plan.centsPerYear > self.plan.centsPerYear else { throw .notMore }
        guard moment <= now, now < moment + Terms.quote, status == .trialing || period.contains(moment)
        else { throw .quoteExpired }
        let lines = status == .trialing ? [] : linesOfUpgrade(to: plan, from: moment)
        if plan.interval != self.plan.interval, status != .trialing {
            anchor = moment
            period = BillingAnchor(moment, every: plan.interval).period(0)
        }
        self.plan = plan
        nextPlan = nil
        return lines.isEmpty ? [] : [.invoice(lines, due: now + Terms.payment, withUsage: false)]
    }

    /// The rest of the period is given back and paid for anew; a new interval begins a new period, paid for in whole.
    private func linesOfUpgrade(to plan: SubscribedPlan, from moment: Timestamp) -> [InvoiceLine] {
        let rest = BillingPeriod(start: moment, end: period.end)
        let unused = InvoiceLine(
            .proration, "Unused time on \(self.plan.title)", period: rest,
            cents: -period.rest(of: self.plan.cents, from: moment))
        if plan.interval == self.plan.interval {
            let remaining = period.rest(of: plan.cents, from: moment)
            return [
                unused,
                InvoiceLine(.proration, "Remaining time on \(plan.title)", period: rest, cents: remaining),
            ]
        }
        let whole = BillingAnchor(moment, every: plan.interval).period(0)
        return [unused, InvoiceLine(.subscription, plan.title, period: whole, cents: plan.cents)]
    }

    private mutating func downgrade(to plan: SubscribedPlan) throws(SubscriptionConflict) {
        try refuseUnlessRunning(evenIfOwed: true)
        try refuseSame(plan)
        guard plan.centsPerYear <= self.plan.centsPerYear else { throw .notLess }
        nextPlan = plan
    }

    private func refuseSame(_ plan: SubscribedPlan) throws(SubscriptionConflict) {
        if (plan.name, plan.interval, plan.cents) == (self.plan.name, self.plan.interval, self.plan.cents) {
            throw .samePlan
        }
    }

    // MARK: Stopping and going on

    private mutating func cancel(at now: Timestamp) -> [SubscriptionEffect] {
        let wasIncomplete = status == .incomplete
        end(.canceled, at: now)
        // What was delivered stays owed; of what never began nothing was.
        return wasIncomplete ? [.voidInvoices] : [.invoice([], due: now + Terms.payment, withUsage: true)]
    }

    private mutating func resume(at now: Timestamp) throws(SubscriptionConflict) -> [SubscriptionEffect] {
        if status == .paused {
            // What was paid for has gone on meanwhile.
            status = trialEnd.map { now < $0 } ?? false ? .trialing : .active
            return goOn(at: now)
        }
        try refuseUnlessRunning(evenIfOwed: true)
        guard endsWithPeriod else { throw .notPaused }
        endsWithPeriod = false
        return []
    }

    /// Begins a new period at `now` if the last one has ended while nothing was invoiced.
    private mutating func goOn(at now: Timestamp) -> [SubscriptionEffect] {
        guard now >= period.end else { return [] }
        if let nextPlan { plan = nextPlan }
        nextPlan = nil
        anchor = now
        period = periods.period(0)
        return [invoiceOfPeriod(due: now + Terms.payment, withUsage: true)]
    }

    // MARK: What is owed

    private mutating func settle(owedSince since: Timestamp?, at now: Timestamp) -> [SubscriptionEffect] {
        owedSince = since
        switch status {
        case .incomplete:
            if since == nil { status = .active }
        case .pastDue, .unpaid:
            let wasUnpaid = status == .unpaid
            if let since, since <= now {
                status = now < since + Terms.suspension ? .pastDue : .unpaid
                graceUntil = status == .pastDue ? since + Terms.grace : nil
            } else {
                status = .active
                graceUntil = nil
            }
            if wasUnpaid, status == .active { return goOn(at: now) }
        case .trialing, .active, .paused, .canceled, .incompleteExpired: break
        }
        return []
    }
}
