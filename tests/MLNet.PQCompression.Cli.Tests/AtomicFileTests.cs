namespace MLNet.PQCompression.Cli.Tests;

public sealed class AtomicFileTests : TemporaryFolder
{
    [Fact]
    public void A_file_is_written_whole()
    {
        AtomicFile.Write(File("a"), overwrite: false, s => s.Write([1, 2, 3]));
        Assert.Equal([1, 2, 3], System.IO.File.ReadAllBytes(File("a")));
        Assert.Single(Directory.GetFiles(Path));
    }

    [Fact]
    public void A_failure_half_way_leaves_the_old_file_and_nothing_else()
    {
        System.IO.File.WriteAllText(File("a"), "old");
        Assert.Throws<FormatException>(() => AtomicFile.Write(File("a"), overwrite: true, s =>
        {
            s.Write([1, 2, 3]);
            throw new FormatException();
        }));
        Assert.Equal("old", System.IO.File.ReadAllText(File("a")));
        Assert.Single(Directory.GetFiles(Path));
    }

    [Fact]
    public void An_existing_file_is_replaced_only_by_leave()
    {
        System.IO.File.WriteAllText(File("a"), "old");
        Assert.Contains("--overwrite", Assert.Throws<IOException>(() => AtomicFile.CheckTarget(File("a"), overwrite: false)).Message, StringComparison.Ordinal);
        AtomicFile.Write(File("a"), overwrite: true, s => s.Write("new"u8));
        Assert.Equal("new", System.IO.File.ReadAllText(File("a")));
    }

    [Fact]
    public void A_target_that_cannot_be_written_is_found_before_the_work()
    {
        Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.CheckTarget(File("none/a"), overwrite: false));
        Assert.Throws<IOException>(() => AtomicFile.CheckTarget(Path, overwrite: true));
    }
}
