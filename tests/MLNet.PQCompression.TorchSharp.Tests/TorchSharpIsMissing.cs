namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Stands for this project's tests where the packages that they need are on no feed.</summary>
public sealed class TorchSharpIsMissing
{
    [Fact(Skip = "skipped: TorchSharp is on no configured feed")]
    public void Tests_of_the_TorchSharp_backend() { }
}
