namespace RaftQueue.Pages;

/// <summary>A node of the page table.</summary>
internal sealed class TableNode
{
}
