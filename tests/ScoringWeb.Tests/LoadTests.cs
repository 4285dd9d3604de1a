using System.Net;

namespace ScoringWeb.Tests;

[Collection(ServiceFixture.Name)]
public sealed class LoadTests(ServiceFixture service)
{
    private const int Clients = 200;
    private const int CallsEach = 5;

    /// <summary>Rounds of many clients at once, on the loopback address: every call is answered, and what is alive afterwards does not grow from round to round.</summary>
    [Fact]
    public async Task ManyClientsAreServedAndMemoryStaysFlat()
    {
        await Round();
        long least = long.MaxValue;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 3; i++)
        {
            await Round();
            least = Math.Min(least, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
        Assert.InRange(least, long.MinValue, 8 << 20);
    }

    private async Task Round() => await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
    {
        for (int call = 0; call < CallsEach; call++)
        {
            using HttpResponseMessage response = await service.Client.PostAsync("api/score", new ByteArrayContent(service.Picture));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }));
}
