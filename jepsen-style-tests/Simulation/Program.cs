using System.Globalization;
using RaftQueue.Simulation;

if (args is not ["--seed", { } text] || !ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
{
    await Console.Error.WriteLineAsync("usage: --seed NUMBER");
    return 2;
}

var run = new SeedRun(seed);
run.Run();
Console.WriteLine($"{run.Plan}\nhash {run.History.EventHash:x16}");
return 0;
