using System.Runtime.InteropServices;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Distillation;
using TorchSharp;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>A device without room: fewer images at once, and said so; where one is too many, a typed exception.</summary>
public sealed class OutOfMemoryTests : TorchTest
{
    /// <summary>What libtorch throws on a GPU that is full.</summary>
    internal static void Refuse(bool isFull)
    {
        if (isFull)
            throw new ExternalException("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB.");
    }

    [SkippableFact]
    public void What_libtorch_says_of_its_CPU_is_understood()
    {
        _ = Torch;
        Exception e = Assert.ThrowsAny<Exception>(() => torch.empty([1L << 50], torch.ScalarType.Float32).Dispose());
        Assert.True(DeviceMemory.IsOutOfMemory(e), $"{e.GetType().Name}: {e.Message}");
        Assert.False(DeviceMemory.IsOutOfMemory(new ExternalException("mat1 and mat2 shapes cannot be multiplied")));
        Assert.False(DeviceMemory.IsOutOfMemory(new OutOfMemoryException("of .NET's own heap, out of memory")));
    }

    [SkippableFact]
    public void Training_goes_on_with_half_the_images_and_the_same_gradients()
    {
        var said = new List<string>();
        _ = Torch;
        using var torch = new TorchBackend(new() { Device = Device, Threads = 1, Log = said.Add });
        var setup = new TrainingSetup { Trainable = TrainableParameters.Codebooks(TinyNetwork.Student) };
        using ITrainingModel model = torch.Create(TinyNetwork.Student, 3, 12, 12, setup);
        TrainingBatch batch = Batch(10);
        double whole = model.ComputeGradients(batch);
        float[] expected = model.Gradient("conv2.weight").ToArray();

        torch.Memory.Allocating = size => Refuse(size > 3);
        Assert.Equal(whole, model.ComputeGradients(batch), 1e-6);
        Close(expected, model.Gradient("conv2.weight"), 1e-5, "gradient");
        Assert.Equal(2, said.Count);
        Assert.Contains("training on 10 images", said[0], StringComparison.Ordinal);
        Assert.Contains("2 from here on", said[1], StringComparison.Ordinal);
        model.ComputeGradients(batch);
        Assert.Equal(2, said.Count); // it starts there from now on
    }

    [SkippableFact]
    public void One_image_too_many_is_a_typed_exception()
    {
        using ITrainingModel model = Torch.Create(TinyNetwork.Student, 3, 12, 12, TrainingSetup.Frozen);
        Torch.Memory.Allocating = _ => Refuse(true);
        var e = Assert.Throws<DeviceOutOfMemoryException>(() => model.Evaluate(new float[432], 1, new float[model.OutputLength]));
        Assert.Contains("managed backend", e.Message, StringComparison.Ordinal);
        Assert.Throws<DeviceOutOfMemoryException>(() => Torch.Moments(new(4, 9), 1));
    }

    private static TrainingBatch Batch(int count)
    {
        var random = new Random(1);
        float[] images = [.. Enumerable.Range(0, count * 432).Select(_ => random.NextSingle() - 0.5f)];
        return new(images, count, new TeacherTarget((float[])[.. Enumerable.Range(0, count * 5).Select(_ => random.NextSingle() * 4)]));
    }
}
