using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Pages;

namespace RaftQueue.Runtime;

/// <summary>The state of one shard: pages, the job store laid out in them, and the membership as of what was applied.</summary>
internal sealed class ShardState(PageStore pages, JobStore store, MembershipRecord? membership)
{
    public PageStore Pages { get; } = pages;

    public JobStore Store { get; } = store;

    /// <summary>Changes only as entries are applied, on the apply loop.</summary>
    public MembershipRecord? Membership { get; set; } = membership;
}
