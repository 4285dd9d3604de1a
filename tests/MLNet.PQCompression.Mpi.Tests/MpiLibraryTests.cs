namespace MLNet.PQCompression.Mpi.Tests;

public sealed class MpiLibraryTests
{
    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Contains("MPI_LIBRARY names '/nowhere/libmpi.so'", MpiLibrary.Load("/nowhere/libmpi.so", out _), StringComparison.Ordinal);

    [SkippableFact]
    public void A_library_that_is_no_MPI_is_refused()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "loads libc.so.6");
        Assert.Contains("is no MPI library", MpiLibrary.Load("libc.so.6", out _), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Open_MPI_is_refused_by_name()
    {
        string? file = new[] { "/usr/lib/x86_64-linux-gnu/libmpi.so.40", "/usr/lib64/openmpi/lib/libmpi.so.40" }.FirstOrDefault(File.Exists);
        Skip.If(file is null, "needs Open MPI's library");
        Assert.Contains("Open MPI", MpiLibrary.Load(file, out _), StringComparison.Ordinal);
    }
}
