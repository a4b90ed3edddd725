namespace RaftQueue.Pages.Tests;

/// <summary>Tests that measure the memory of the process: no other runs beside them.</summary>
[CollectionDefinition(TableMemoryTests.Name, DisableParallelization = true)]
public sealed class AloneInTheProcess;
