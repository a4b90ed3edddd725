using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>Calls on one lease or several: each token says something of its own, and the whole may have an idempotency key.</summary>
internal sealed partial class ClientRequests
{
    /// <summary>A fence that never was.</summary>
    private const ulong StrangeFence = 1_000_000;

    private ClientCall UseLease(Grant grant)
    {
        OperationKind kind = _step.Kind switch
        {
            StepKind.Ack => OperationKind.Ack,
            StepKind.Nack => OperationKind.Nack,
            StepKind.Extend => OperationKind.Extend,
            StepKind.Release => OperationKind.Release,
            _ => OperationKind.Reschedule,
        };
        return OnLeases(kind, OneIn(3) ? WithOthers(grant) : [grant], OneIn(4) ? OwnKey : null);
    }

    /// <summary>Further leases of the same shard.</summary>
    private List<Grant> WithOthers(Grant first)
    {
        List<Grant> grants = [first];
        for (int more = 1 + (int)_random.NextBelow(4); more > 0 && shared.TakeGrant(_random) is { } other; more--)
        {
            if (other.Job.Shard == first.Job.Shard && !grants.Exists(grant => grant.Job == other.Job)) grants.Add(other);
        }

        return grants;
    }

    private ClientCall OnLeases(OperationKind kind, List<Grant> grants, string? key)
    {
        List<ModelItem> items = grants.ConvertAll(grant => Item(kind, grant, place: grants.IndexOf(grant), mayBeStrange: grants.Count > 1));
        if (grants.Count == 1)
        {
            Operation one = New(kind, grants[0].Queue, grants[0].Job, items[0].Token.Fence, key, item: items[0]);
            return Submit(one, ClientCommands.Tokens(one, items));
        }

        var rows = new List<Operation>();
        Operation all = New(kind, grants[0].Queue, key: key, rows: rows);
        for (int i = 0; i < grants.Count; i++)
        {
            rows.Add(new Operation
            {
                Id = all.Id + 1 + i,
                Client = client,
                Node = all.Node,
                Kind = kind,
                Shard = all.Shard,
                InvokedNs = history.NextNs(),
                Queue = grants[i].Queue,
                Job = grants[i].Job,
                Fence = items[i].Token.Fence,
                DelayMs = kind == OperationKind.Extend ? items[i].LeaseMs : items[i].DelayMs,
                RunAtMs = items[i].RunAtMs,
                Dead = items[i].Dead,
                NewPayload = items[i].Payload,
            });
        }

        return Submit(all, ClientCommands.Tokens(all, items));
    }

    private ModelItem Item(OperationKind kind, Grant grant, int place, bool mayBeStrange)
    {
        ulong fence = mayBeStrange && OneIn(12) ? grant.Fence + StrangeFence : grant.Fence;
        var item = new ModelItem(new LeaseToken(grant.Job, fence));
        string? text = OneIn(2) ? $"\"r{_step.Number}.{place} ✓\"" : null;
        long? delayMs = OneIn(2) ? _random.NextBelow(3_000) : null;
        return kind switch
        {
            OperationKind.Ack => item with { Text = text },
            OperationKind.Nack => item with { Text = text, DelayMs = delayMs, Dead = OneIn(10) },
            OperationKind.Extend => item with { Text = text, LeaseMs = 1 + _random.NextBelow(3_000) },
            OperationKind.Release => item with { DelayMs = delayMs },
            _ => Again(OneIn(2) ? item with { DelayMs = delayMs ?? 0 } : item with { RunAtMs = SomeTime() }, place),
        };
    }

    private ModelItem Again(ModelItem item, int place)
    {
        bool changes = OneIn(2);
        bool bytes = changes && OneIn(3);
        return item with
        {
            PayloadKind = !changes ? null : bytes ? PayloadKind.Bytes : PayloadKind.Json,
            Payload = !changes ? null : bytes ? $"p{_step.Number}.{place}" : $"\"p{_step.Number}.{place}\"",
            ContentType = bytes && OneIn(2) ? "text/again" : null,
            Priority = OneIn(2) ? (int)_random.NextBelow(JobLimits.MaxPriority + 1) : null,
        };
    }
}
