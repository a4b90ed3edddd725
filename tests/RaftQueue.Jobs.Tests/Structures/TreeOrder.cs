using RaftQueue.Jobs.Structures;

namespace RaftQueue.Jobs.Tests.Structures;

/// <summary>The order of entries, written down plainly for the models.</summary>
internal sealed class TreeOrder : IComparer<TreeEntry>
{
    public static readonly TreeOrder Instance = new();

    public static int Compare(TreeEntry left, TreeEntry right) =>
        (left.Time, left.Sequence, left.Value).CompareTo((right.Time, right.Sequence, right.Value));

    int IComparer<TreeEntry>.Compare(TreeEntry left, TreeEntry right) => Compare(left, right);
}
