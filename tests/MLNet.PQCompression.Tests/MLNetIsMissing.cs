namespace MLNet.PQCompression.Tests;

/// <summary>Stands for this project's tests where the packages that they need are on no feed.</summary>
public sealed class MLNetIsMissing
{
    [Fact(Skip = "skipped: Microsoft.ML 5.0.0 is on no configured feed")]
    public void Tests_of_the_ML_NET_package() { }
}
