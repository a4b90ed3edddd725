using System.Globalization;
using RaftQueue.Benchmarks;

// Measures the state of one shard on a real disk, without log and network:
//   dotnet run -c Release --project tests/RaftQueue.Benchmarks -- state DIR JOBS BUDGET_MIB
//   dotnet run -c Release --project tests/RaftQueue.Benchmarks -- freeze DIR PAGES BUDGET_MIB
if (args is not [var what, var directory, var count, var budget])
{
    Console.Error.WriteLine("usage: state|freeze DIRECTORY COUNT BUDGET_MIB");
    return 2;
}

long number = long.Parse(count, CultureInfo.InvariantCulture);
int pages = int.Parse(budget, CultureInfo.InvariantCulture) * 256;
if (what == "freeze") FreezeBenchmark.Run(directory, (int)number, pages);
else StateBenchmark.Run(directory, number, pages);
return 0;
