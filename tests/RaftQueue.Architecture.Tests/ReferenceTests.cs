using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace RaftQueue.Architecture.Tests;

/// <summary>The arrows hold in the project files and in what the compiler wrote into the assemblies.</summary>
public sealed class ReferenceTests
{
    /// <summary>Packages that a room may use besides the framework; analyzers are not in the product and do not count.</summary>
    private static readonly Dictionary<string, string[]> AllowedPackages = new(StringComparer.Ordinal)
    {
        ["RaftQueue"] = ["System.CommandLine"],
    };

    public static TheoryData<string> Rooms()
    {
        var rooms = new TheoryData<string>();
        foreach (string room in Arrows.Direct.Keys) rooms.Add(room);
        return rooms;
    }

    [Fact]
    public void EveryRoomIsInThePlan() =>
        Assert.Equal(Arrows.Direct.Keys.Order(StringComparer.Ordinal).ToList(), Repository.Rooms.ToList());

    [Theory]
    [MemberData(nameof(Rooms))]
    public void ProjectFileNamesExactlyItsArrows(string room)
    {
        XDocument project = Load(room);
        IEnumerable<string> named = project.Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.Equal(Arrows.Direct[room].Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void ProjectFileUsesOnlyAllowedPackages(string room)
    {
        IEnumerable<string> packages = Load(room).Descendants("PackageReference").Select(reference => reference.Attribute("Include")!.Value);
        Assert.Empty(packages.Except(AllowedPackages.GetValueOrDefault(room, []), StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void AssemblySeesOnlyWhatTheArrowsReach(string room)
    {
        IReadOnlyList<string> references = AssemblyReferences(room);
        Assert.Contains("System.Runtime", references, StringComparer.Ordinal);
        HashSet<string> reachable = Arrows.Reachable(room);
        IEnumerable<string> ours = references.Where(name => name.StartsWith("RaftQueue", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(ours, name => !reachable.Contains(name));
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void OnlyTheServerAndTheCommandMayTouchAspNetCore(string room)
    {
        if (room is "RaftQueue.Server" or "RaftQueue") return;
        Assert.DoesNotContain(
            AssemblyReferences(room),
            name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.Extensions", StringComparison.Ordinal));
    }

    [Fact]
    public void JobsAndConsensusDoNotSeeEachOther()
    {
        Assert.DoesNotContain("RaftQueue.Consensus", Arrows.Reachable("RaftQueue.Jobs"));
        Assert.DoesNotContain("RaftQueue.Jobs", Arrows.Reachable("RaftQueue.Consensus"));
    }

    [Fact]
    public void RoomsThatMustBePureBanTheAmbientWorld()
    {
        foreach (string room in BannedCallTests.PureRooms)
        {
            Assert.Equal("true", Load(room).Descendants("BanAmbientWorld").Single().Value);
        }
    }

    private static XDocument Load(string room) => XDocument.Load(Path.Combine(Repository.Source, room, room + ".csproj"));

    private static IReadOnlyList<string> AssemblyReferences(string room)
    {
        string name = room == "RaftQueue" ? "raftqueue" : room;
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, name + ".dll"));
        using var image = new PEReader(file);
        MetadataReader metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}
