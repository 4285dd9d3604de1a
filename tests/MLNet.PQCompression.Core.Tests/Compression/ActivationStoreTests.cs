using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Compression;

public sealed class ActivationStoreTests
{
    [Theory]
    [InlineData(1f)]
    [InlineData(1e-30f)]
    [InlineData(1e30f)]
    [InlineData(70000f)]
    public void Values_come_back_as_float16_holds_them_whatever_their_size(float size)
    {
        using var workers = new WorkerPool(2);
        using var store = new ActivationStore(workers);
        var random = new Random(1);
        var value = new Activation(new(3, 7, 50, 100));
        foreach (ref float v in value.Span)
            v = random.Next(3) == 0 ? 0 : size * (random.NextSingle() - 0.5f);
        StoredActivation stored = store.Add(value);
        Activation loaded = stored.Load();
        Assert.Equal(value.Shape, loaded.Shape);
        for (int i = 0; i < value.Span.Length; i++)
            Assert.InRange(loaded.Span[i], value.Span[i] - Tolerance(value.Span[i]), value.Span[i] + Tolerance(value.Span[i]));

        float Tolerance(float v) => Math.Max(Math.Abs(v) / 2048, size * 1e-7f);
    }

    [Fact]
    public void Memory_given_back_is_used_again()
    {
        using var store = new ActivationStore(null);
        var value = new Activation(new(1, 10, 100, 100));
        value.Span.Fill(1.5f);
        store.Add(value).Release();
        long bytes = store.Bytes;
        for (int i = 0; i < 500; i++)
        {
            StoredActivation stored = store.Add(value);
            Assert.Equal(1.5f, stored.Load().Span[^1]);
            stored.Release();
            stored.Release();
            Assert.Throws<InvalidOperationException>(stored.Load);
        }
        Assert.Equal(bytes, store.Bytes);
        StoredActivation[] many = [.. Enumerable.Range(0, 200).Select(_ => store.Add(value))];
        Assert.InRange(store.Bytes, 200 * 200_000, 200 * 350_000);
        Assert.All(many, s => Assert.Equal(1.5f, s.Load().Span[0]));
    }

    [Fact]
    public void Values_of_a_few_numbers_take_little()
    {
        using var store = new ActivationStore(null);
        for (int i = 0; i < 1000; i++)
            store.Add(new(new(1, 4)));
        Assert.InRange(store.Bytes, 1, 16 << 20);
    }

    [Fact]
    public void Values_are_those_of_the_threads_whatever_their_number()
    {
        var value = new Activation(new(2, 300_000));
        var random = new Random(2);
        foreach (ref float v in value.Span)
            v = random.NextSingle();
        using var workers = new WorkerPool(3);
        using ActivationStore one = new(null), three = new(workers);
        Assert.Equal(one.Add(value).Load().Span.ToArray(), three.Add(value).Load().Span.ToArray());
    }
}
