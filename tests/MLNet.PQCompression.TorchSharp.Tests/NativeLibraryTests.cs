using TorchSharp;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>libtorch comes with this project's package and computes.</summary>
public sealed class NativeLibraryTests
{
    [SkippableFact]
    public void A_product_of_two_matrices()
    {
        LibTorch.Require();
        using torch.Tensor a = torch.tensor(new float[] { 1, 2, 3, 4 }, 2, 2), b = torch.tensor(new float[] { 5, 6, 7, 8 }, 2, 2);
        using torch.Tensor product = torch.mm(a, b);
        Assert.Equal([19f, 22, 43, 50], product.data<float>().ToArray());
    }

    [SkippableFact]
    public void An_application_with_libtorch_of_its_own_loads_no_other()
    {
        LibTorch.Require();
        Assert.Null(TorchLibrary.FolderBeside("/opt/libtorch", typeof(torch).Assembly)); // two in one process end it
    }
}
