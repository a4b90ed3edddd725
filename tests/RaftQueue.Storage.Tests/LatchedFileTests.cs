using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>After a sync that failed none of the file returns any more, whoever asks; a full disk is no such failure.</summary>
public sealed class LatchedFileTests
{
    private const string Path = "/data/file";
    private const int NoSpace = 28;

    private readonly FakeDisk _disk = new();

    public LatchedFileTests() => _disk.CreateDirectory("/data");

    [Fact]
    public void NoSyncReturnsAfterOneThatFailed()
    {
        using LatchedFile file = LatchedFile.Open(_disk, Path, create: true);
        file.WriteAt(0, [1, 2, 3]);
        file.DataSync();
        file.WriteAt(0, [4]);
        _disk.FailNext(DiskOperation.DataSync);
        DiskException first = Assert.Throws<DiskException>(file.DataSync);
        long asked = _disk.Operations;
        DiskException second = Assert.Throws<DiskException>(file.DataSync);
        Assert.Equal((first.Call, first.Errno), (second.Call, second.Errno));
        Assert.Throws<DiskException>(() => file.Allocate(1 << 20));
        Assert.Equal(asked, _disk.Operations);
        byte[] read = new byte[1];
        Assert.Equal(1, file.ReadAt(0, read));
        Assert.Equal(4, read[0]);
    }

    [Fact]
    public void AFullDiskIsNoFailedSync()
    {
        using LatchedFile file = LatchedFile.Open(_disk, Path, create: true);
        _disk.FailNext(DiskOperation.Allocate, 1, NoSpace);
        Assert.True(Assert.Throws<DiskException>(() => file.Allocate(1 << 20)).IsDiskFull);
        file.Allocate(1 << 20);
        file.DataSync();
        Assert.Equal(1 << 20, file.Length);
    }

    /// <summary>Taking space writes and syncs: when that is what failed, what others wrote may be lost too.</summary>
    [Theory]
    [InlineData("fdatasync", NoSpace)]
    [InlineData("pwritev", 5)]
    public void ASyncThatFailsWhileSpaceIsTakenIsOne(string call, int errno)
    {
        bool fails = true;
        _disk.OnOperation = (operation, path) =>
        {
            if (operation == DiskOperation.Allocate && fails) throw new DiskException(call, path, errno);
        };
        using LatchedFile file = LatchedFile.Open(_disk, Path, create: true);
        Assert.Throws<DiskException>(() => file.Allocate(1 << 20));
        fails = false;
        Assert.Throws<DiskException>(file.DataSync);
        Assert.Throws<DiskException>(() => file.Allocate(1 << 20));
    }
}
